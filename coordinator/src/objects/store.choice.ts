import type { Settings } from '../settings.js';
import { CoordinatorError } from '../errors/index.js';
import { parseBucketAddress, requireAccess } from './bucket.address.js';
import { FolderStore } from './folder.store.js';
import type { ObjectStore } from './object.store.js';

type Choice = Pick<Settings, 'objects' | 'bucketAccess' | 'objectCacheGib'>;

/** @throws CoordinatorError 'malformed' for an address that is none, and for options of a bucket where there is a folder */
export function requireBucket({ objects, bucketAccess = {}, objectCacheGib }: Choice): void {
  const address = parseBucketAddress(objects);
  requireAccess(bucketAccess);
  if (address !== undefined || (Object.keys(bucketAccess).length === 0 && objectCacheGib === undefined)) return;
  throw new CoordinatorError(
    'malformed',
    `--s3-endpoint, --s3-region, --s3-path-style and --object-cache speak of a bucket, and ${objects === undefined ? 'there is no --objects' : `--objects ${objects} is a folder`}. Give --objects s3://BUCKET/PREFIX, or leave them out.`,
  );
}

export async function storeOf(settings: Settings): Promise<ObjectStore> {
  const address = parseBucketAddress(settings.objects);
  if (address === undefined) return new FolderStore(settings);
  // Half a second to load, for those only who use it.
  const [{ BucketStore }, { S3Bucket }] = await Promise.all([import('./bucket.store.js'), import('./s3.bucket.js')]);
  return new BucketStore(settings, new S3Bucket(address, settings.bucketAccess ?? {}));
}
