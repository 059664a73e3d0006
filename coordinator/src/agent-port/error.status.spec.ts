import { CryptoError } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { refusalOf } from './error.status.js';

describe('the refusal for an error', () => {
  it('is no fault of the coordinator when the caller hung up in the middle of an upload', () => {
    const hungUp = Object.assign(new Error('Premature close'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
    expect(refusalOf(hungUp)).toMatchObject({ code: 'unreachable' });
  });

  it('says nothing of the cause of a fault', () => {
    const refusal = refusalOf(new TypeError('secret of the inside'));
    expect(refusal.code).toBe('internal');
    expect(refusal.message).not.toMatch('secret');
  });

  it('tells a wrong signature from a malformed message', () => {
    expect(refusalOf(new CryptoError('bad-signature', 'x')).code).toBe('bad-signature');
    expect(refusalOf(new CryptoError('malformed', 'x')).code).toBe('malformed');
  });
});
