import { CryptoError } from '@coferment/crypto';
import { CoordinatorError } from './coordinator.error.js';

/** A fault of what the coordinator stands on, which passes without a change of the coordinator. */
export type OutsideFault = 'storage-full' | 'storage-failed';

const STORAGE_FAULTS: Readonly<Record<string, OutsideFault>> = {
  ENOSPC: 'storage-full',
  EDQUOT: 'storage-full',
  EROFS: 'storage-failed',
  EIO: 'storage-failed',
  EMFILE: 'storage-failed',
  ENFILE: 'storage-failed',
  ESTALE: 'storage-failed',
};

/** The name that the operating system gives a fault of its storage, or undefined for every other error. Looks through causes and out of worker threads. */
export function storageErrno(error: unknown): string | undefined {
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 8; current = current.cause, depth++) {
    const { code } = current as NodeJS.ErrnoException;
    if (code !== undefined && Object.hasOwn(STORAGE_FAULTS, code)) return code;
    // Only the words of an error leave a thread.
    if (current instanceof CryptoError && current.code === 'worker-lost') return /\b(ENOSPC|EDQUOT|EROFS|EIO)\b/.exec(current.message)?.[1];
  }
  return undefined;
}

/** What a caller is told when a file cannot be written. It names no path: sites read it too. */
export function storageRefusal(error: unknown): CoordinatorError | undefined {
  const errno = storageErrno(error);
  const fault = errno === undefined ? undefined : STORAGE_FAULTS[errno];
  if (errno === undefined || fault === undefined) return undefined;
  const what =
    fault === 'storage-full'
      ? `The coordinator has no room left on its disk (${errno}).`
      : `The coordinator cannot write to its disk or read from it (${errno}).`;
  return new CoordinatorError(
    fault,
    `${what} What it has confirmed before is kept. Try again later; it goes on by itself when its operator has mended that.`,
    { cause: error },
  );
}
