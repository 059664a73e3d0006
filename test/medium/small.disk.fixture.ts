import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** A real file system of a few megabytes that can be filled, emptied and made read-only. Only root may mount one. */
export class SmallDisk {
  readonly #ballast: string;

  /** @param path where it is mounted; what is in that folder is hidden while it is */
  constructor(
    readonly path: string,
    megabytes: number,
  ) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', path]);
    this.#ballast = join(path, 'ballast');
  }

  static readonly canMount = process.getuid?.() === 0 && mountWorks();

  /** Leaves room for so many bytes, in whole pages. */
  fill(leaveBytes = 0): void {
    const file = openSync(this.#ballast, 'w');
    try {
      for (const step of [65_536, 4096]) {
        const piece = Buffer.alloc(step);
        while (this.free - leaveBytes >= step && writeSync(file, piece) === step);
      }
    } finally {
      closeSync(file);
    }
  }

  get free(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  empty(): void {
    rmSync(this.#ballast, { force: true });
  }

  setReadOnly(isReadOnly: boolean): void {
    // Lazily for files that are open for writing, as a kernel does it after an error of the disk, is not offered for tmpfs: close them first.
    execFileSync('mount', ['-o', `remount,${isReadOnly ? 'ro' : 'rw'}`, this.path]);
  }

  unmount(): void {
    execFileSync('umount', ['-l', this.path]);
  }
}

function mountWorks(): boolean {
  const path = `/tmp/coferment-mount-${process.pid}`;
  mkdirSync(path, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', path], { stdio: 'ignore' });
    execFileSync('umount', [path], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}
