import { CryptoError } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { CoordinatorError } from '../errors/index.js';
import { RETRY_AFTER_KEY, refusalOf, statusOf } from './error.status.js';

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

describe('the status of a refusal', () => {
  // grpc-js puts the text into a header with encodeURI, in an event of its own: what that throws ends the process.
  it.each(['\ud800', `${'x'.repeat(1999)}😀`, `"${'y'.repeat(100_000)}"`])(
    'has a text that a header can carry, whatever was sent: %#',
    (sent) => {
      const { details } = statusOf(new CoordinatorError('malformed', sent));
      expect(() => encodeURI(details ?? '')).not.toThrow();
      expect(details!.length).toBeLessThanOrEqual(2000);
    },
  );

  it('says after how long to try again only where that helps', () => {
    expect(statusOf(new CoordinatorError('too-many', 'x', { retryAfterMs: 3000 })).metadata?.get(RETRY_AFTER_KEY)).toEqual(['3000']);
    expect(statusOf(new CoordinatorError('too-many', 'x')).metadata?.get(RETRY_AFTER_KEY)).toEqual([]);
  });
});
