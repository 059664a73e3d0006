import { CryptoError } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { CoordinatorError } from './coordinator.error.js';
import { storageErrno, storageRefusal } from './outside.fault.js';

const errno = (code: string, cause?: unknown) => Object.assign(new Error(`${code}: /secret/path`, { cause }), { code });

describe('a fault of the disk', () => {
  it.each([
    ['ENOSPC', 'storage-full'],
    ['EDQUOT', 'storage-full'],
    ['EROFS', 'storage-failed'],
    ['EIO', 'storage-failed'],
  ])('%s becomes %s, which names no path', (code, refusal) => {
    expect(storageRefusal(errno(code))).toMatchObject({ code: refusal });
    expect(storageRefusal(new Error('deeper', { cause: errno(code) }))).toMatchObject({ code: refusal });
    expect(storageRefusal(errno(code))?.message).not.toMatch(/secret/);
  });

  it('is found in what is left of an error that comes out of a thread', () => {
    const lost = new CryptoError('worker-lost', 'A worker thread was lost: ENOSPC: no space left on device, write.');
    expect(storageErrno(lost)).toBe('ENOSPC');
  });

  it.each([errno('ENOENT'), errno('ECONNRESET'), new CoordinatorError('malformed', 'ENOSPC'), new Error('ENOSPC'), 'ENOSPC', undefined])(
    'is nothing else: %s',
    (error) => expect(storageRefusal(error)).toBeUndefined(),
  );
});
