import { Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { CoordinatorRefusal, askedToWaitMs, fromServiceError } from './coordinator.errors.js';

function serviceError(code: status, details: string, refusal?: string): ServiceError {
  const metadata = new Metadata();
  if (refusal !== undefined) metadata.set('coferment-code', refusal);
  return Object.assign(new Error(details), { code, details, metadata });
}

describe('a refusal of the coordinator', () => {
  it.each([
    ['version-mismatch', 'version-mismatch', /different versions: 1\.0 and 3\.0\. Install/],
    ['clock-off', 'clock-off', /clock of this machine.*NTP/],
    ['invite-used', 'coordinator-refused', /invite was refused.*new invite/],
    ['site-revoked', 'coordinator-refused', /revoked this site/],
    ['unauthenticated', 'certificate-refused', /certificate/],
    ['unavailable', 'unreachable', /tries again by itself/],
    ['storage-full', 'unreachable', /tries again by itself/],
    ['storage-failed', 'unreachable', /tries again by itself/],
    ['stopping', 'unreachable', /tries again by itself/],
    ['other-input', 'coordinator-refused', /A nonce was refused \(other-input\)/],
  ])('%s becomes %s with what to do', (refusal, code, text) => {
    const error = fromServiceError(serviceError(status.FAILED_PRECONDITION, '1.0 and 3.0.', refusal), 'A nonce');
    expect(error).toBeInstanceOf(CoordinatorRefusal);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(text);
  });

  it.each([
    ['2000', 2000, 'unreachable'],
    ['99999999999', 300_000, 'unreachable'],
    ['0', 0, 'coordinator-refused'],
    ['-5', 0, 'coordinator-refused'],
    ['1e9', 0, 'coordinator-refused'],
    ['soon', 0, 'coordinator-refused'],
    ['9'.repeat(40), 0, 'coordinator-refused'],
    [undefined, 0, 'coordinator-refused'],
  ])('that asks to wait %j ms is waited for %i ms, and is %s', (text, waitMs, code) => {
    const refused = serviceError(status.RESOURCE_EXHAUSTED, 'More than 5 calls.', 'too-many');
    if (text !== undefined) refused.metadata.set('coferment-retry-after-ms', text);
    const error = fromServiceError(refused, 'A poll');
    expect(askedToWaitMs(error)).toBe(waitMs);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/asks this site to slow down\. More than 5 calls/);
  });

  it('without a code is a matter of the network', () => {
    expect(fromServiceError(serviceError(status.UNAVAILABLE, 'gone'), 'A poll').code).toBe('unreachable');
    expect(fromServiceError(serviceError(status.DEADLINE_EXCEEDED, 'late'), 'A poll').code).toBe('unreachable');
    expect(fromServiceError(serviceError(status.UNIMPLEMENTED, 'what?'), 'A poll').code).toBe('coordinator-refused');
  });

  it('cannot write control sequences to a terminal, nor fill it', () => {
    const error = fromServiceError(serviceError(status.INTERNAL, `\u001b[2J${'x'.repeat(10_000)}`, 'malformed'), 'A poll');
    expect(error.message).not.toContain('\u001b');
    expect(error.message.length).toBeLessThan(800);
  });
});
