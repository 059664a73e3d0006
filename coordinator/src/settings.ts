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
  /** Folder of the object store, where it is not in the data folder. */
  abstract readonly objects?: string;
  /** Names the data folder among those that work on one database. */
  abstract readonly replica?: string;
}
