import { type Command, InvalidArgumentError } from 'commander';
import type { BucketAccess } from '../objects/bucket.address.js';

export interface BucketFlags {
  objects?: string;
  s3Endpoint?: string;
  s3Region?: string;
  s3PathStyle?: boolean;
  objectCache?: number;
}

/** Credentials are none of them: whoever lists the processes of a machine reads its command lines. */
export function bucketOptions(command: Command): Command {
  return command
    .option(
      '--objects <dir|s3://...>',
      'folder of uploads, sums and models, where several coordinators share it, or s3://BUCKET/PREFIX of an S3-compatible store, with credentials from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or the usual files (default: objects in the data folder)',
    )
    .option('--s3-endpoint <url>', 'URL of an S3-compatible server (default: AWS_ENDPOINT_URL, else that of Amazon)')
    .option('--s3-region <name>', 'region of the bucket (default: AWS_REGION, else that of the profile)')
    .option('--s3-path-style', 'put the bucket into the path of URLs, as most S3-compatible servers need')
    .option('--object-cache <GiB>', 'how much of the bucket is kept on this machine at most (default: 20)', parseGib);
}

/** As `startCoordinator` takes them. */
export function bucketOf({ objects, s3Endpoint, s3Region, s3PathStyle, objectCache }: BucketFlags): {
  objects?: string;
  bucketAccess?: BucketAccess;
  objectCacheGib?: number;
} {
  const access: BucketAccess = {
    ...(s3Endpoint === undefined ? {} : { endpoint: s3Endpoint }),
    ...(s3Region === undefined ? {} : { region: s3Region }),
    ...(s3PathStyle === undefined ? {} : { pathStyle: s3PathStyle }),
  };
  return {
    ...(objects === undefined ? {} : { objects }),
    ...(Object.keys(access).length === 0 ? {} : { bucketAccess: access }),
    ...(objectCache === undefined ? {} : { objectCacheGib: objectCache }),
  };
}

const LARGEST_GIB = 65_536;

function parseGib(text: string): number {
  const gib = Number(text);
  if (!/^\d+(\.\d+)?$/.test(text) || gib < 0.001 || gib > LARGEST_GIB)
    throw new InvalidArgumentError(`It must be a number of GiB from 0.001 to ${LARGEST_GIB}, for example 20.`);
  return gib;
}
