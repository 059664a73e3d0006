import { Client } from 'pg';

/** A database of its own on the server that DATABASE_URL names, so that the same tests run on PostgreSQL. */
export class ServerDatabase {
  readonly name = `coferment_test_${process.pid}_${Date.now()}`;
  #created = false;

  constructor(private readonly server: string) {}

  /** Looked at when it is needed: a suite that is skipped for want of a server names none. */
  get url(): string {
    return Object.assign(new URL(this.server), { pathname: `/${this.name}` }).href;
  }

  async create(): Promise<void> {
    if (!this.#created) await this.#run(`CREATE DATABASE ${this.name}`);
    this.#created = true;
  }

  drop(): Promise<void> {
    return this.#run(`DROP DATABASE ${this.name}`);
  }

  async #run(statement: string): Promise<void> {
    const client = new Client({ connectionString: this.server });
    await client.connect();
    await client.query(statement);
    await client.end();
  }
}
