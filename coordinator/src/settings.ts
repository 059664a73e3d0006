/** What one coordinator process was started with. */
export class Settings {
  constructor(
    /** The data folder; its lock is held. */
    readonly folder: string,
    /** `host:port` or `[IPv6]:port` to listen on; port 0 takes a free one. */
    readonly listen: string,
    /** A PostgreSQL server; without it the embedded one is used. */
    readonly databaseUrl?: string,
    /** How long witnesses are waited for, in milliseconds. */
    readonly offerMs?: number,
  ) {}
}
