import type { MigrationInterface, QueryRunner } from 'typeorm';

const STATEMENTS = [
  `CREATE TABLE site (
    site text PRIMARY KEY,
    state text NOT NULL,
    identity_key text UNIQUE,
    certificate_digest text UNIQUE,
    certificate_expires_ms bigint,
    enrolment jsonb,
    last_poll_ms bigint NOT NULL,
    wait_ms integer NOT NULL
  )`,
  `CREATE TABLE invite (id text PRIMARY KEY, site text NOT NULL REFERENCES site, secret_hash text NOT NULL, expires_ms bigint NOT NULL, used_by text)`,
  `CREATE TABLE plan (digest text PRIMARY KEY, name text NOT NULL, published_ms bigint NOT NULL)`,
  `CREATE TABLE run (
    run text PRIMARY KEY,
    plan text NOT NULL REFERENCES plan,
    plan_name text NOT NULL,
    ordinal integer NOT NULL,
    state text NOT NULL,
    epoch integer NOT NULL,
    sites jsonb NOT NULL,
    model text NOT NULL,
    cause text NOT NULL,
    what_to_do text NOT NULL,
    opened_ms bigint NOT NULL,
    closed_ms bigint,
    version integer NOT NULL,
    UNIQUE (plan, ordinal)
  )`,
  `CREATE TABLE act (
    sequence serial PRIMARY KEY,
    digest text NOT NULL UNIQUE,
    run text NOT NULL REFERENCES run,
    name text NOT NULL,
    site text NOT NULL,
    slot text NOT NULL,
    envelope jsonb NOT NULL,
    received_ms bigint NOT NULL,
    UNIQUE (run, name, site, slot)
  )`,
  `CREATE INDEX act_of_run ON act (run, sequence)`,
  `CREATE TABLE event (
    sequence serial PRIMARY KEY,
    time_ms bigint NOT NULL,
    run text NOT NULL REFERENCES run,
    type text NOT NULL,
    state text NOT NULL,
    site text NOT NULL,
    text text NOT NULL,
    sum integer
  )`,
  `CREATE INDEX event_of_run ON event (run, sequence)`,
  `CREATE TABLE epoch (
    run text NOT NULL REFERENCES run,
    epoch integer NOT NULL,
    roster jsonb NOT NULL,
    fingerprint text NOT NULL,
    roster_digest text,
    e0 text,
    e text,
    PRIMARY KEY (run, epoch)
  )`,
  `CREATE TABLE round (
    run text NOT NULL REFERENCES run,
    sum integer NOT NULL,
    epoch integer NOT NULL,
    kind text NOT NULL,
    round integer NOT NULL,
    confirms text,
    state text NOT NULL,
    attempt integer NOT NULL,
    i text NOT NULL,
    model_in text NOT NULL,
    ranges text NOT NULL,
    normalisation text NOT NULL,
    weight_rule text NOT NULL,
    opened_ms bigint NOT NULL,
    deadline_ms bigint NOT NULL,
    nonces jsonb NOT NULL,
    k text,
    t text,
    counted jsonb NOT NULL,
    excluded jsonb NOT NULL,
    certificate jsonb NOT NULL,
    model_out text,
    metric double precision,
    train_loss double precision,
    upload_bytes bigint NOT NULL,
    closed_ms bigint,
    cause text NOT NULL,
    PRIMARY KEY (run, sum)
  )`,
  `CREATE TABLE model_state (
    run text NOT NULL REFERENCES run,
    round integer NOT NULL,
    model text NOT NULL,
    object text NOT NULL,
    ranges jsonb NOT NULL,
    weight_cap double precision NOT NULL,
    normalisation jsonb NOT NULL,
    PRIMARY KEY (run, round)
  )`,
  `CREATE TABLE object (
    digest text PRIMARY KEY,
    size bigint NOT NULL,
    purpose text NOT NULL,
    run text,
    site text,
    reader text,
    stored_ms bigint NOT NULL
  )`,
  `CREATE TABLE ledger_entry (index bigint PRIMARY KEY, entry bytea NOT NULL, payload bytea NOT NULL)`,
  // One row: taking its lock puts appending transactions in order, so indexes have no gaps on a server either.
  `CREATE TABLE ledger_head (size bigint NOT NULL)`,
  `INSERT INTO ledger_head (size) VALUES (0)`,
];

const TABLES = ['ledger_head', 'ledger_entry', 'object', 'model_state', 'round', 'epoch', 'event', 'act', 'run', 'plan', 'invite', 'site'];

export class First1700000000001 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of STATEMENTS) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(`DROP TABLE ${table}`);
  }
}
