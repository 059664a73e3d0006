import { CoordinatorError } from '../errors/index.js';

/** Where objects lie in an S3-compatible store. */
export interface BucketAddress {
  bucket: string;
  /** What every key begins with: empty, or ending in `/`. */
  prefix: string;
}

/** How the store is reached, where the usual `AWS_*` variables and files do not say it. Never a credential: command lines are read by everybody on a machine. */
export interface BucketAccess {
  /** Of a store that is not Amazon's: `https://s3.example:9000`. */
  endpoint?: string;
  region?: string;
  /** The bucket stands in the path of a URL and not in its host name. */
  pathStyle?: boolean;
}

const SCHEME = 's3://';
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
/** Keys stay below S3's 1024 bytes with a digest behind the prefix, and need no escaping in any URL. */
const PREFIX = /^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/;
const LONGEST_PREFIX = 256;

/** @returns undefined for a folder. @throws CoordinatorError 'malformed' for an `s3://` address that names no bucket */
export function parseBucketAddress(objects: string | undefined): BucketAddress | undefined {
  if (objects === undefined || !/^s3:/i.test(objects)) return undefined;
  const [bucket = '', ...path] = objects.startsWith(SCHEME) ? objects.slice(SCHEME.length).split('/') : [];
  const prefix = path.join('/').replace(/\/$/, '');
  const isPrefix = prefix === '' || (prefix.length <= LONGEST_PREFIX && PREFIX.test(prefix) && !path.includes('.') && !path.includes('..'));
  if (!BUCKET.test(bucket) || !isPrefix)
    throw new CoordinatorError(
      'malformed',
      `"${objects.slice(0, 120)}" is no address of a bucket. Give it as s3://BUCKET or s3://BUCKET/PREFIX: the bucket's name in lower case, and a prefix of letters, digits, ".", "_", "-" and "/".`,
    );
  return { bucket, prefix: prefix === '' ? '' : `${prefix}/` };
}

/** As people write it. */
export function bucketText({ bucket, prefix }: BucketAddress): string {
  return `${SCHEME}${bucket}/${prefix}`.replace(/\/$/, '');
}

/** @throws CoordinatorError 'malformed' for an endpoint that is no HTTP URL, or that carries a credential */
export function requireAccess({ endpoint }: BucketAccess): void {
  if (endpoint === undefined) return;
  const url = URL.parse(endpoint);
  const isEndpoint =
    url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!isEndpoint)
    throw new CoordinatorError(
      'malformed',
      '--s3-endpoint is not the URL of an S3 server. Give it as https://s3.example or http://10.0.0.5:9000, without a user name, query or fragment; credentials come from the environment or the standard files.',
    );
}
