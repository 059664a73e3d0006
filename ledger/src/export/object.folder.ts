import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LedgerError } from '../errors/index.js';
import { objectPath } from './ledger.export.js';
import { stateOf } from './stored.object.js';

/**
 * Objects of an export, each a file named by its SHA-256. A file has its name only when it is whole; until then it is beside it as `.part`, and the next try
 * goes on from its end. At no time is a whole object in memory.
 */
export class ObjectFolder {
  constructor(private readonly folder: string) {}

  /**
   * Stores the object unless it is there already, right.
   * @param from the bytes from this offset on, from somewhere that is not trusted
   * @throws LedgerError 'payload-mismatch' for other bytes than the digest names; nothing of them is kept
   */
  async keep(digest: string, from: (offset: number) => AsyncIterable<Uint8Array>): Promise<void> {
    if ((await stateOf(this.folder, { digest, size: undefined })).state === 'right') return;
    const path = join(this.folder, objectPath(digest));
    const part = `${path}.part`;
    await mkdir(dirname(path), { recursive: true });
    const hash = createHash('sha256');
    const file = await open(part, 'a+');
    try {
      let size = 0;
      for await (const piece of createReadStream(part) as AsyncIterable<Buffer>) {
        hash.update(piece);
        size += piece.length;
      }
      for await (const piece of from(size)) {
        hash.update(piece);
        await file.appendFile(piece);
      }
      await file.sync();
    } finally {
      await file.close();
    }
    const found = hash.digest('hex');
    if (found !== digest) {
      await rm(part);
      throw new LedgerError(
        'payload-mismatch',
        `The object ${digest} came as other bytes, with SHA-256 ${found}. Nothing of them was kept; export again, and if this stays, tell the other members.`,
      );
    }
    await rename(part, path);
  }
}
