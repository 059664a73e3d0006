import 'reflect-metadata';
import type { PathLike } from 'node:fs';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type DsseEnvelope, sha256Hex } from '@coferment/crypto';
import { type Checkpoint, encodeVkey, openCheckpoint, parseVkey, publicKeyFromSeed, tileBytes, verifierKey } from '@coferment/ledger';
import { Global, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { Settings } from '../settings.js';
import { KillSwitch } from '../testing/kill.switch.fixture.js';
import { LedgerDatabase } from '../testing/ledger-database.fixture.js';
import { PublicationModule } from './publication.module.js';
import { PublicationService } from './publication.service.js';

const shared = vi.hoisted(() => ({ files: undefined as KillSwitch | undefined }));
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const step = <T>(name: string, work: () => T, torn?: () => void): T => (shared.files ? shared.files.pass(name, work, torn) : work());
  return {
    ...fs,
    openSync: (...given: Parameters<typeof fs.openSync>) => step('open', () => fs.openSync(...given)),
    rmSync: (...given: Parameters<typeof fs.rmSync>) => step('remove', () => fs.rmSync(...given)),
    fsyncSync: (fd: number) => step('fsync', () => fs.fsyncSync(fd)),
    closeSync: (fd: number) => step('close', () => fs.closeSync(fd)),
    renameSync: (from: PathLike, to: PathLike) => step('rename', () => fs.renameSync(from, to)),
    writeFileSync: (file: number | PathLike, data: string, options?: object) =>
      step(
        'write',
        () => fs.writeFileSync(file, data, options),
        () => fs.writeFileSync(file, data.slice(0, data.length / 2), options),
      ),
  };
});

const ORIGIN = 'ledger.localhost/killed';
const SEED = new Uint8Array(32).fill(7);
const VKEY = encodeVkey(verifierKey('log', ORIGIN, publicKeyFromSeed(SEED)));
/** The acts fill the first tile of leaves. */
const OLD = 255;

const kill = new KillSwitch();
let ledger: LedgerDatabase;
let acts: { envelope: DsseEnvelope; publicKey: Uint8Array }[];

beforeAll(async () => {
  ledger = await LedgerDatabase.open();
  acts = ['one', 'two'].map((text) => ledger.act(text));
  await ledger.source.query('CREATE TABLE acted (digest text PRIMARY KEY)');
  // oxlint-disable-next-line typescript/unbound-method -- called below with the client that it was called on
  const query = Client.prototype.query as (...given: unknown[]) => unknown;
  vi.spyOn(Client.prototype, 'query').mockImplementation(function (this: Client, ...given: unknown[]) {
    return kill.pass(
      String(given[0])
        .trim()
        .split(/[\s(]+/)
        .slice(0, 3)
        .join(' '),
      () => query.apply(this, given),
    ) as never;
  });
  shared.files = kill;
});
afterAll(async () => {
  kill.disarm();
  vi.restoreAllMocks();
  await ledger.remove();
});

/** A coordinator's publication as a process that starts now builds it, on the same database and folder. */
async function started(): Promise<PublicationService> {
  @Global()
  @Module({
    providers: [
      { provide: Database, useValue: ledger.database },
      { provide: Settings, useValue: { folder: ledger.folder, listen: '' } },
      { provide: ConsortiumIdentity, useValue: { facts: { origin: ORIGIN, logVkey: VKEY }, logSeed: SEED } },
    ],
    exports: [Database, Settings, ConsortiumIdentity],
  })
  class Around {}
  @Module({ imports: [Around, PublicationModule] })
  class Process {}
  return (await NestFactory.createApplicationContext(Process, { logger: false, abortOnError: false })).get(PublicationService);
}

/** What a site's act does: its own row and its ledger entry in one transaction, then a checkpoint. */
async function act(publication: PublicationService, some: typeof acts): Promise<void> {
  await ledger.database.transaction(async (manager) => {
    for (const { envelope, publicKey } of some) {
      await manager.query('INSERT INTO acted VALUES ($1)', [digestOf(envelope)]);
      await publication.append(manager, envelope, publicKey);
    }
  });
  await publication.follow();
}

const digestOf = (envelope: DsseEnvelope) => sha256Hex(Buffer.from(envelope.payload, 'base64'));

/** As it is before what gets killed: an old ledger, published, and `unseen` acts whose commit was the last thing that a process did. */
async function before(unseen: number): Promise<void> {
  await ledger.clear();
  await ledger.source.query('TRUNCATE acted');
  rmSync(join(ledger.folder, 'checkpoint'), { force: true });
  await ledger.fill(OLD);
  await (await started()).open();
  await ledger.fill(unseen);
}

/** Everything that must hold once a new process has started on what the killed one left. */
async function expectWhole(handedOut: readonly string[], intended: number): Promise<void> {
  const publication = await started();
  await publication.open();
  const rows = (await ledger.source.query('SELECT digest FROM acted')) as { digest: string }[];
  expect([0, intended]).toContain(rows.length);
  for (const { digest } of rows) {
    const found = (await ledger.source.query('SELECT index FROM ledger_entry WHERE sha256(payload) = $1', [
      Buffer.from(digest, 'hex'),
    ])) as {
      index: string;
    }[];
    expect(found).toHaveLength(1);
    expect(Number(found[0]!.index)).toBeLessThan(publication.size);
  }
  const [head] = (await ledger.source.query('SELECT count(*) AS entries FROM ledger_entry')) as [{ entries: string }];
  expect(publication.size).toBe(Number(head.entries));
  const tree = await ledger.tree();
  const opened = (note: string): Checkpoint => openCheckpoint(note, [parseVkey(VKEY)]);
  for (const note of [...handedOut, publication.checkpoint]) {
    const { size, root } = opened(note);
    expect(size).toBeLessThanOrEqual(tree.size);
    expect(root).toEqual(tree.root(size));
  }
  const tiles = (await ledger.source.query('SELECT level, index, hashes FROM ledger_tile')) as {
    level: number;
    index: string;
    hashes: Buffer;
  }[];
  expect(tiles).toHaveLength(Math.floor(publication.size / 256));
  for (const { level, index, hashes } of tiles)
    expect(hashes.equals(tileBytes(tree, { level, index: BigInt(index), width: 256 }))).toBe(true);
}

/** Kills the work at its first step, then at its second, until it runs through. @returns the steps of the whole */
async function killEverywhere(
  unseen: number,
  intended: number,
  work: (publication: PublicationService) => Promise<void>,
): Promise<string[]> {
  for (let step = 0; ; step++) {
    await before(unseen);
    const publication = await started();
    const handedOut: string[] = [publication.checkpoint].filter(Boolean);
    kill.arm(step);
    const killed = await work(publication).then(
      () => false,
      (error: unknown) => {
        if (!(error instanceof Error) || !/killed at/.test(error.message)) throw error;
        return true;
      },
    );
    kill.disarm();
    if (publication.checkpoint !== '') handedOut.push(publication.checkpoint);
    // The dead try nothing again.
    await publication.onModuleDestroy();
    // What the server does when a client is gone.
    await ledger.source.query('ROLLBACK');
    await expectWhole(handedOut, intended);
    if (!killed) return kill.steps;
  }
}

describe('a coordinator killed at any step', () => {
  it(
    'between act and checkpoint has every act that it committed in the ledger once, and extends what it handed out',
    { timeout: 120_000 },
    async () => {
      const steps = await killEverywhere(0, acts.length, async (publication) => {
        await publication.open();
        await act(publication, acts);
      });
      expect(steps.filter((step) => step.startsWith('INSERT INTO acted'))).toHaveLength(acts.length);
      expect(steps.filter((step) => step.startsWith('INSERT INTO ledger_tile'))).toHaveLength(1);
      expect(steps.filter((step) => step === 'rename')).toHaveLength(2);
    },
  );

  it('of a start that takes in two pages of entries starts again', { timeout: 120_000 }, async () => {
    const steps = await killEverywhere(1100, 0, (publication) => publication.open());
    expect(steps.filter((step) => step.startsWith('INSERT INTO ledger_tile'))).toHaveLength(2);
    expect(steps.filter((step) => step === 'rename')).toHaveLength(1);
  });
});
