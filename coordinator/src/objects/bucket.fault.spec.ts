import { describe, expect, it } from 'vitest';
import { PASSING, bucketFault } from './bucket.fault.js';

const place = { address: 's3://fermentation/objects', endpoint: 'https://s3.example' };
const refusal = (name: string, httpStatusCode: number) =>
  Object.assign(new Error('said the server'), { name, $metadata: { httpStatusCode } });
const network = (code: string) => Object.assign(new Error(code), { code });

describe('what a bucket refuses', () => {
  it.each([
    ['no-bucket', refusal('NoSuchBucket', 404), /Make it, or correct --objects/],
    ['wrong-credentials', refusal('InvalidAccessKeyId', 403), /AWS_ACCESS_KEY_ID/],
    ['wrong-credentials', refusal('ExpiredToken', 400), /AWS_ACCESS_KEY_ID/],
    ['no-rights', refusal('AccessDenied', 403), /s3:GetObject, s3:PutObject/],
    ['no-rights', refusal('Unknown', 403), /s3:ListBucket/],
    ['wrong-region', refusal('PermanentRedirect', 301), /--s3-region/],
    ['wrong-region', new Error('Region is missing'), /--s3-region/],
    ['clock', refusal('RequestTimeTooSkewed', 403), /NTP/],
    ['busy', refusal('SlowDown', 503), /load/],
    ['busy', refusal('Whatever', 502), /load/],
    ['full', refusal('XMinioStorageFull', 507), /Make room/],
    ['changed-on-the-way', refusal('BadDigest', 400), /other bytes/],
    ['no-credentials', refusal('CredentialsProviderError', undefined as never), /AWS_PROFILE/],
    ['unreachable', network('ECONNREFUSED'), /mend the network/],
    ['unreachable', network('ENOTFOUND'), /mend the network/],
    ['unreachable', network('CERT_HAS_EXPIRED'), /does not answer/],
    ['unreachable', new Error('all failed', { cause: network('EAI_AGAIN') }), /does not answer/],
    ['other', refusal('NotImplemented', 501), /./],
    ['other', 'a string', /refuses a call/],
  ])('is %s for %s', (kind, error, todo) => {
    const fault = bucketFault(error, place);
    if (kind !== 'other') expect(fault.kind).toBe(kind);
    expect(fault.detail).toMatch(todo);
  });

  it('is asked again where it may pass, and only there', () => {
    const kindOf = (error: unknown) => bucketFault(error, place).kind;
    for (const error of [refusal('SlowDown', 503), network('ECONNRESET'), refusal('BadDigest', 400)])
      expect(PASSING).toContain(kindOf(error));
    for (const error of [refusal('AccessDenied', 403), refusal('NoSuchBucket', 404), refusal('RequestTimeTooSkewed', 403)])
      expect(PASSING).not.toContain(kindOf(error));
  });

  it('is told to sites without the place, as something to try again after', () => {
    const fault = bucketFault(network('ECONNREFUSED'), place);
    expect(fault).toMatchObject({ code: 'storage-failed', message: expect.stringMatching(/Try again later/) });
    expect(fault.message).not.toMatch(/s3\.example|fermentation/);
    expect(bucketFault(refusal('QuotaExceeded', 403), place).code).toBe('storage-full');
  });
});
