import type { BucketAccess } from './objects/bucket.address.js';
import type { Limits } from './limits/coordinator.limits.js';
import type { LogLevel, LogPlace } from './telemetry/log.settings.js';

/** What one coordinator process was started with. */
export abstract class Settings {
  /** The data folder; its lock is held. */
  abstract readonly folder: string;
  /** `host:port` or `[IPv6]:port` to listen on; port 0 takes a free one. */
  abstract readonly listen: string;
  /** A PostgreSQL server; without it the embedded one is used. */
  abstract readonly databaseUrl?: string;
  /** How long witnesses are waited for, in milliseconds. */
  abstract readonly offerMs?: number;
  /** `file` if left out. */
  abstract readonly log?: LogPlace;
  /** `info` if left out. */
  abstract readonly logLevel?: LogLevel;
  /** Folder of the object store, where it is not in the data folder, or `s3://bucket/prefix`. */
  abstract readonly objects?: string;
  /** How a bucket is reached. */
  abstract readonly bucketAccess?: BucketAccess;
  /** How much of a bucket is kept on this machine at most, in GiB. */
  abstract readonly objectCacheGib?: number;
  /** Names the data folder among those that work on one database. */
  abstract readonly replica?: string;
  /** Those of docs/limits.md if left out. */
  abstract readonly limits?: Limits;
}
