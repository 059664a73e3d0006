import { describe, expect, it } from 'vitest';
import { bucketText, parseBucketAddress, requireAccess } from './bucket.address.js';
import { requireBucket } from './store.choice.js';

describe('the address of a bucket', () => {
  it.each([
    's3://',
    's3:/fermentation',
    'S3://fermentation',
    's3:fermentation/objects',
    's3://Fermentation',
    's3://ab',
    `s3://${'a'.repeat(64)}`,
    's3://key:secret@fermentation/objects',
    's3://fermentation//objects',
    's3://fermentation/../other',
    's3://fermentation/a/./b',
    's3://fermentation/ä',
    's3://fermentation/a b',
    's3://fermentation/objects?region=eu',
    `s3://fermentation/${'a'.repeat(257)}`,
  ])('is none in %s', (objects) => {
    expect(() => parseBucketAddress(objects)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  it.each([undefined, '/srv/objects', './s3', 'objects', 'C:\\objects'])('is not looked for in the folder %s', (objects) => {
    expect(parseBucketAddress(objects)).toBeUndefined();
  });

  it.each([
    ['s3://fermentation', '', 's3://fermentation'],
    ['s3://fermentation/', '', 's3://fermentation'],
    ['s3://fermentation/a/b-1/', 'a/b-1/', 's3://fermentation/a/b-1'],
  ])('%s gives every key the prefix "%s"', (objects, prefix, text) => {
    const address = parseBucketAddress(objects)!;
    expect(address).toEqual({ bucket: 'fermentation', prefix });
    expect(bucketText(address)).toBe(text);
  });
});

describe('how a bucket is reached', () => {
  it.each(['s3.example', 'ftp://s3.example', 'https://id:secret@s3.example', 'https://s3.example?x=1', 'https://s3.example#x', ''])(
    'is not %s, and no secret is repeated',
    (endpoint) => {
      const refused = () => requireAccess({ endpoint });
      expect(refused).toThrow(expect.objectContaining({ code: 'malformed' }));
      expect(refused).not.toThrow(/secret/);
    },
  );

  it('is not said of a folder', () => {
    expect(() => requireBucket({ objects: '/srv', bucketAccess: { region: 'eu-1' } })).toThrow(/--objects \/srv is a folder/);
    expect(() => requireBucket({ objectCacheGib: 1 })).toThrow(/there is no --objects/);
    expect(() => requireBucket({ objects: 's3://fermentation', bucketAccess: { region: 'eu-1' }, objectCacheGib: 1 })).not.toThrow();
    expect(() => requireBucket({})).not.toThrow();
  });
});
