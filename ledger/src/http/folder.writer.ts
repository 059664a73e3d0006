import { mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const INCOMING = '.incoming';

/** Writes files whole or not at all: whoever is interrupted leaves nothing half written under a name that counts. */
export class FolderWriter {
  #count = 0;
  written = 0;

  /** @param maxBytes that may be written in all */
  constructor(
    private readonly folder: string,
    private readonly maxBytes: number,
  ) {}

  /** Makes the folder if there is none, and drops what an interrupted run left. */
  async prepare(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await this.finish();
  }

  async finish(): Promise<void> {
    await rm(join(this.folder, INCOMING), { recursive: true, force: true });
  }

  async write(path: string, bytes: Uint8Array): Promise<void> {
    await this.move(path, async (file) => {
      const handle = await open(file, 'w');
      try {
        await handle.writeFile(bytes);
        // The checkpoint claims the rest: it must not be on disk before its own bytes are.
        if (!path.includes('/')) await handle.sync();
      } finally {
        await handle.close();
      }
      return bytes.length;
    });
  }

  /** @param fill writes the file under a passing name and says how many bytes; undefined leaves nothing */
  async move(path: string, fill: (file: string) => Promise<number | undefined>): Promise<boolean> {
    const passing = join(this.folder, INCOMING, `${process.pid}-${this.#count++}`);
    await mkdir(dirname(passing), { recursive: true });
    const bytes = await fill(passing);
    if (bytes === undefined) return false;
    this.written += bytes;
    if (this.written > this.maxBytes)
      throw new Error(
        `more than ${this.maxBytes} bytes came, which is where this fetch stops; if the ledger may be that large, fetch again with a larger --max-gib`,
      );
    const target = join(this.folder, path);
    await mkdir(dirname(target), { recursive: true });
    await rename(passing, target);
    return true;
  }

  /** @param bytes that the file must have, if that is known */
  async has(path: string, bytes?: number): Promise<boolean> {
    const found = await stat(join(this.folder, path)).catch(() => undefined);
    return found?.isFile() === true && (bytes === undefined ? found.size > 0 : found.size === bytes);
  }

  async remove(path: string): Promise<void> {
    await rm(join(this.folder, path), { recursive: true, force: true });
  }
}
