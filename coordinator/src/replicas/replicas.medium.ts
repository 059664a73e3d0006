import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint, parseVkey, verifyConsistency } from '@coferment/ledger';
import { type Encrypt, ObjectPurpose } from '@coferment/proto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readLedger, statementsOf } from '../cli/ledger.reader.js';
import { ask } from '../cli/operator.client.js';
import { startCoordinator } from '../coordinator.start.js';
import { Database } from '../persistence/database.js';
import { TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import { TestReplicas, inTurnAt } from '../testing/replicas.fixture.js';
import type { ScriptedSite } from '../testing/scripted-site.fixture.js';
import { ScriptedWitness } from '../testing/scripted-witness.fixture.js';
import { ServerDatabase } from '../testing/server-database.fixture.js';
import type { SiteCalls } from '../testing/site-calls.fixture.js';
import { WitnessingService } from '../witnessing/witnessing.service.js';
import { ReplicaRepository } from './replica.repository.js';
import { makeReplica } from './replica.folder.js';

const ORIGIN = 'ledger.localhost/scripted';
const isOnServer = Boolean(process.env['DATABASE_URL']);

/** Somebody who reads the ledger at each coordinator in turn, without a pause, and believes nothing that goes back. */
class LedgerReader {
  readonly sizes: number[] = [];
  #stopped = false;
  #reading!: Promise<void>;

  start(each: readonly SiteCalls[], logVkey: string): this {
    this.#reading = this.#read(each, logVkey);
    return this;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#reading;
  }

  async #read(each: readonly SiteCalls[], logVkey: string): Promise<void> {
    let before: { size: bigint; root: Uint8Array } | undefined;
    for (let turn = 0; !this.#stopped; turn++) {
      const { ledger } = each[turn % each.length]!;
      const { checkpoint } = await ask(ledger.getCheckpoint.bind(ledger), {});
      const { size, root } = openCheckpoint(checkpoint, [parseVkey(logVkey)]);
      if (before !== undefined) {
        const sizes = { oldSize: Number(before.size), newSize: Number(size) };
        if (size < before.size) throw new Error(`the ledger shrank from ${before.size} to ${size} entries`);
        // Of what the other one has said, not of what this one knew.
        const { hashes } = await ask(ledger.getConsistencyProof.bind(ledger), sizes);
        const proof = { olderSize: before.size, olderRoot: before.root, newerSize: size, newerRoot: root, proof: hashes };
        if (!verifyConsistency(proof)) throw new Error(`${size} entries at one are no continuation of ${before.size} at the other`);
      }
      before = { size, root };
      this.sizes.push(Number(size));
    }
  }
}

/** Lets the sites work until this one is asked for an upload, which it has not made then. */
async function owedEncryption(site: ScriptedSite, others: readonly ScriptedSite[]): Promise<Encrypt> {
  for (let turn = 0; turn < 100; turn++) {
    for (const other of others) await other.work();
    const { instructions } = await site.calls.poll([site.position], '', 0);
    for (const { kind } of instructions) {
      if (kind?.$case === 'encrypt') return kind.encrypt;
      if (kind !== undefined) await site.follow(kind);
    }
  }
  throw new Error(`${site.site} is asked for no upload`);
}

describe.skipIf(!isOnServer)('two coordinators on one database', () => {
  let replicas: TestReplicas;
  let sites: ScriptedSite[];
  let run: string;
  const isUp = new Set<TestCoordinator>();

  beforeAll(async () => {
    replicas = await new TestReplicas().start();
    isUp.add(replicas.a).add(replicas.b);
    sites = await replicas.a.join('alpha', 'beta', 'gamma');
    for (const site of sites) site.calls = inTurnAt(site.calls, replicas.addresses);
    run = await replicas.b.launch();
  });
  afterAll(async () => {
    for (const site of sites) site.calls.close();
    await replicas.remove(...isUp);
  });

  const stateOf = async (sum: number) => (await replicas.a.run(run)).rounds.find((round) => round.sum === sum)?.state;

  it('take a run from site to site, and neither ever shows less of the ledger than the other has', async () => {
    const each = replicas.addresses.map((address) => sites[0]!.calls.at(address));
    const reader = new LedgerReader().start(each, replicas.a.running.facts.logVkey);
    await workUntil(sites, async () => (await stateOf(4)) !== undefined);
    await reader.stop();
    for (const calls of each) calls.close();
    expect(reader.sizes.at(-1)).toBeGreaterThan(20);
    // It asked while both wrote, not only before and after.
    expect(new Set(reader.sizes).size).toBeGreaterThan(5);
  });

  it('end an upload at one that was begun at the other, whatever the first stream still brings', async () => {
    const [alpha, ...others] = sites as [ScriptedSite, ...ScriptedSite[]];
    const kind = await owedEncryption(alpha, others);
    const { bytes, predicate } = alpha.contribution(kind.name!, kind.nonces);
    const [atA, atB] = replicas.addresses.map((address) => alpha.calls.at(address)) as [SiteCalls, SiteCalls];
    const half = Math.floor(bytes.length / 2);
    const header = { digest: predicate.object, size: bytes.length, offset: 0, purpose: ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, run };

    const { promise: ended, resolve, reject } = Promise.withResolvers<unknown>();
    const stream = atA.uploads.upload((error, answer) => (error === null ? resolve(answer) : reject(error)));
    stream.write({ part: { $case: 'header', header } });
    stream.write({ part: { $case: 'chunk', chunk: Buffer.from(bytes.subarray(0, half)) } });
    await vi.waitFor(async () => expect((await atB.uploadState(predicate.object)).received).toBe(half), 10_000);
    expect(await atB.send({ ...header, offset: half }, bytes.subarray(half))).toMatchObject({ complete: true });
    // Noise of a stream that was taken for dead and still has its file open.
    stream.write({ part: { $case: 'chunk', chunk: Buffer.alloc(bytes.length - half, 7) } });
    stream.end();
    await expect(ended).rejects.toMatchObject({ details: expect.stringContaining('Upload the object again') });
    expect(readFileSync(join(replicas.objects, predicate.object)).equals(bytes)).toBe(true);
    await alpha.submit('contribution', predicate);
    for (const calls of [atA, atB]) calls.close();
  });

  it('wake a poll that is held at one by an act at the other within a second', async () => {
    // The sum of before is frozen now: everybody owes something, and has it done but alpha.
    const [alpha, beta] = sites as [ScriptedSite, ScriptedSite];
    const [atA, atB] = replicas.addresses.map((address) => beta.calls.at(address)) as [SiteCalls, SiteCalls];
    await workUntil(sites.slice(1), async () => (await replicas.a.run(run)).waitingFor.join() === 'alpha');
    const { owed } = await atB.poll([beta.position], '', 0);
    const held = atB.poll([beta.position], owed, 20_000).then((answer) => ({ answer, atMs: performance.now() }));
    await new Promise((turn) => setTimeout(turn, 300));
    const calls = alpha.calls;
    alpha.calls = calls.at(replicas.addresses[0]!);
    await alpha.work();
    const actedMs = performance.now();
    alpha.calls = calls;
    const { answer, atMs } = await held;
    expect(answer.owed).not.toBe(owed);
    expect(atMs - actedMs).toBeLessThan(1000);
    for (const one of [atA, atB]) one.close();
  });

  it('refuse a new certificate authority while both run', async () => {
    const { operator } = replicas.a.operator;
    await expect(ask(operator.rollAuthority.bind(operator), {})).rejects.toMatchObject({
      code: 'replicas-running',
      message: expect.stringContaining(replicas.addresses[1]!),
    });
  });

  it('leave a sum to the one that opens it, and take it over when its lease has lapsed', async () => {
    // A lease as one leaves it that is killed while it opens a sum.
    const database = replicas.a.running.context.get(Database);
    const leases = new ReplicaRepository();
    const killedFor = (forMs: number) =>
      database.transaction((manager) => leases.takeLease(manager, `open sums of ${run}`, 'killed', forMs));
    const rounds = async () => (await replicas.b.run(run)).rounds;
    const closed = async () => (await rounds()).filter(({ state }) => state === 'closed').length;
    const openedBefore = await closed();
    expect(await killedFor(600_000)).toBe(true);
    const isWhole = async () =>
      (await rounds()).some(({ state }) => state === 'decrypting') && (await replicas.b.run(run)).waitingFor.length === 0;
    await workUntil(sites, isWhole);
    // Both have had several ticks to open it.
    await new Promise((turn) => setTimeout(turn, 1500));
    expect(await closed()).toBe(openedBefore);
    await killedFor(1000);
    const lapsesMs = performance.now() + 1000;
    await vi.waitFor(async () => expect(await closed()).toBeGreaterThan(openedBefore), { timeout: 20_000, interval: 50 });
    expect(performance.now()).toBeGreaterThan(lapsesMs - 100);
    expect(performance.now()).toBeLessThan(lapsesMs + 5000);
  });

  it('go on with one of them when the other has stopped', async () => {
    await replicas.a.stop();
    isUp.delete(replicas.a);
    for (const site of sites) site.calls = site.calls.at(replicas.addresses[1]!);
    await workUntil(sites, () => sites.every((site) => site.closed));
    expect(await replicas.b.run(run)).toMatchObject({ state: 'completed', roundsClosed: 1 });
    const names = statementsOf(await readLedger(replicas.b.operator)).map((statement) => statement.name);
    const count = (name: string) => names.filter((candidate) => candidate === name).length;
    expect(['consortium-founded', 'charter', 'run-opened', 'aggregate', 'run-closed'].map(count)).toEqual([1, 1, 1, 6, 1]);
    expect(count('contribution')).toBe(3 + 3 * 3);
    expect(readdirSync(join(replicas.objects, 'partial'))).toEqual([]);
  });
});

describe.skipIf(!isOnServer)('the checkpoints of two coordinators', () => {
  it('are cosigned at either, published by both alike, and stay published at the one that is behind', async () => {
    const replicas = await new TestReplicas({ offerMs: 600_000 }).start();
    const { a, b } = replicas;
    const [serviceA, serviceB] = [a, b].map((one) => one.running.context.get(WitnessingService)) as [WitnessingService, WitnessingService];
    const joined = await a.join('alpha', 'beta');
    const [alpha, beta] = joined.map((site) => new ScriptedWitness(site, ORIGIN)) as [ScriptedWitness, ScriptedWitness];
    await alpha.declare();
    await beta.declare();
    await vi.waitFor(() => expect(serviceA.current?.electorate.keys).toHaveLength(2), 10_000);
    alpha.scripted.calls = joined[0]!.calls.at(a.running.address);
    beta.scripted.calls = joined[1]!.calls.at(b.running.address);
    // One has it at A, the other at B: neither alone is the quorum.
    const first = await alpha.work();
    expect((await beta.newest()).pending).toBe(true);
    expect(await beta.work()).toBe(first);
    expect((await alpha.newest()).checkpoint).toBe((await beta.newest()).checkpoint);
    expect((await alpha.newest()).pending).toBe(false);
    expect((await serviceA.shown())?.note).toBe((await serviceB.shown())?.note);
    // Cosigned twice at once, at both: the first stays, for both.
    const held = [alpha.await(serviceA.current!.size, 20_000), beta.await(serviceA.current!.size, 20_000)];
    await b.invite('gamma');
    await a.join('delta');
    const [toAlpha] = await Promise.all(held);
    await Promise.all([alpha.add(alpha.cosigned(toAlpha!.checkpoint, 1_700_000_000n)), beta.add(beta.cosigned(toAlpha!.checkpoint))]);
    expect((await serviceB.shown())?.note).toBe((await serviceA.shown())?.note);
    expect((await serviceA.shown())?.size).toBeGreaterThan(6);
    for (const { calls } of [...joined, alpha.scripted, beta.scripted]) calls.close();
    await replicas.remove(a, b);
  });
});

describe.skipIf(!isOnServer)('a further coordinator', () => {
  let first: TestCoordinator;
  const objects = mkdtempSync(join(tmpdir(), 'coordinator-objects-'));
  const folders: string[] = [];
  const newFolder = (): string => {
    const folder = mkdtempSync(join(tmpdir(), 'coordinator-'));
    folders.push(folder);
    return folder;
  };
  const start = (folder: string, more: { databaseUrl?: string; objects?: string }, consortium = 'scripted') =>
    startCoordinator({ folder, passphrase: 'a passphrase for tests', consortium, origin: `ledger.localhost/${consortium}`, ...more });

  beforeAll(async () => {
    first = await new TestCoordinator({ objects }).start();
  });
  afterAll(async () => {
    await first.remove();
    for (const folder of [objects, ...folders]) rmSync(folder, { recursive: true, force: true });
  });

  it('is refused without what the others share', async () => {
    const folder = newFolder();
    const databaseUrl = first.database!.url;
    await makeReplica(first.folder, folder);
    await expect(start(folder, { objects })).rejects.toMatchObject({
      code: 'folder-unusable',
      message: expect.stringContaining('DATABASE_URL'),
    });
    await expect(start(folder, { databaseUrl })).rejects.toMatchObject({ message: expect.stringContaining('--objects is missing') });
    const elsewhere = start(folder, { databaseUrl, objects: newFolder() });
    await expect(elsewhere).rejects.toMatchObject({ message: expect.stringContaining('Give the object folder of this consortium') });
  });

  it('is refused on the database of another consortium, and signs nothing of it', async () => {
    const folder = newFolder();
    const other = start(folder, { databaseUrl: first.database!.url, objects }, 'another');
    await expect(other).rejects.toMatchObject({
      code: 'folder-unusable',
      message: expect.stringContaining('that of the consortium "scripted"'),
    });
    expect(readdirSync(folder)).not.toContain('checkpoint');
    // The name alone is not what makes it the same.
    const namesake = start(newFolder(), { databaseUrl: first.database!.url, objects });
    await expect(namesake).rejects.toMatchObject({ message: expect.stringContaining('operator key') });
  });

  it('may be started at the same moment as another one on an empty database', async () => {
    const both = await new TestReplicas().start();
    await both.a.stop();
    await both.b.stop();
    // As if neither had been here before.
    for (const { folder } of [both.a, both.b]) rmSync(join(folder, 'checkpoint'));
    rmSync(join(both.objects, 'store.json'));
    const empty = new ServerDatabase(process.env['DATABASE_URL']!);
    await empty.create();
    for (const { options } of [both.a, both.b]) Object.assign(options, { databaseUrl: empty.url });
    await Promise.all([both.a.start(), both.b.start()]);
    const names = statementsOf(await readLedger(both.b.operator)).map((statement) => statement.name);
    expect(names).toEqual(['consortium-founded', 'charter']);
    await both.remove(both.a, both.b);
    await empty.drop();
  });
});
