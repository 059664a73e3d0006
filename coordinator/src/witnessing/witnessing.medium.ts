import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signStatement } from '@coferment/consortium';
import { bytesToHex, generateIdentity } from '@coferment/crypto';
import {
  formatTlogProof,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseTlogProof,
  parseVkey,
  verifyConsistency,
  verifyTlogProof,
} from '@coferment/ledger';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { exportLedger } from '../cli/ledger.export.js';
import { ask } from '../cli/operator.client.js';
import { Database } from '../persistence/database.js';
import { LedgerLog } from '../publication/ledger.log.js';
import { TestCoordinator } from '../testing/coordinator.fixture.js';
import { ScriptedSite } from '../testing/scripted-site.fixture.js';
import { ScriptedWitness } from '../testing/scripted-witness.fixture.js';
import { WitnessingRepository } from './witnessing.repository.js';
import { WitnessingService } from './witnessing.service.js';

const ORIGIN = 'ledger.localhost/scripted';
/** Longer than any test, where a quorum is to be met; the tests of waiting take a short one. */
const LONG_MS = 600_000;

let coordinator: TestCoordinator;
afterEach(() => vi.restoreAllMocks());

/** However slow the machine is. */
const until = (check: () => unknown) => vi.waitFor(check, 60_000);
const service = () => coordinator.running.context.get(WitnessingService);
const sizeOf = (note: string) => Number(parseCheckpoint(parseNote(note).text).size);
const logKey = () => parseVkey(coordinator.running.facts.logVkey);

/** Something for the ledger to grow by. */
const grow = (name: string) => coordinator.invite(name).then((invite) => ScriptedSite.join(invite));

async function witnesses(...names: string[]): Promise<ScriptedWitness[]> {
  const joined = (await coordinator.join(...names)).map((site) => new ScriptedWitness(site, ORIGIN));
  for (const witness of joined) await witness.declare();
  await until(() =>
    expect(service().current?.electorate.keys.map(({ name }) => name)).toEqual(expect.arrayContaining(joined.map(({ key }) => key.name))),
  );
  return joined;
}

function signersOf(note: string, ...known: ScriptedWitness[]): string[] {
  const { note: opened } = openCheckpoint(note, [logKey(), ...known.map(({ key }) => key)]);
  return opened.verifiedBy.filter(({ kind }) => kind === 'witness').map(({ name }) => name.slice(ORIGIN.length + 1));
}

describe('a ledger that witnesses cosign', () => {
  let alpha: ScriptedWitness;
  let beta: ScriptedWitness;
  let keyOfAlpha: string;

  beforeAll(async () => {
    coordinator = await new TestCoordinator({ offerMs: LONG_MS }).start();
    const [first, second] = (await coordinator.join('alpha', 'beta')) as [ScriptedSite, ScriptedSite];
    [alpha, beta] = [new ScriptedWitness(first, ORIGIN), new ScriptedWitness(second, ORIGIN)];
    keyOfAlpha = await alpha.declare();
  });
  afterAll(() => coordinator.remove());

  it('gives no receipt and waits for nobody while too few witnesses are known', async () => {
    const { checkpoint, pending } = await alpha.newest();
    expect(pending).toBe(false);
    expect(signersOf(checkpoint)).toEqual([]);
    const receipt = await alpha.receipt(keyOfAlpha);
    expect(receipt).toMatchObject({ index: 4, checkpoint: '', inclusionProof: [] });
  });

  it('collects cosignatures until the quorum is met, and then gives receipts', async () => {
    await beta.declare();
    await until(async () => expect((await alpha.newest()).pending).toBe(true));
    const offered = await alpha.work();
    const half = await alpha.newest();
    expect(half.pending).toBe(true);
    expect(signersOf(half.checkpoint, alpha, beta)).toEqual(['alpha']);
    expect((await alpha.receipt(keyOfAlpha)).checkpoint).toBe('');

    await beta.work();
    const whole = await alpha.newest();
    expect(whole.pending).toBe(false);
    expect(signersOf(whole.checkpoint, alpha, beta)).toEqual(['alpha', 'beta']);
    const { index, entry, inclusionProof: proof, checkpoint } = await beta.receipt(keyOfAlpha);
    expect(parseNote(checkpoint).text).toBe(parseNote(offered).text);
    const receipt = parseTlogProof(formatTlogProof({ index: BigInt(index), entry, proof, checkpoint }));
    const { note } = verifyTlogProof(receipt, entry, [logKey(), alpha.key, beta.key]);
    expect(note.verifiedBy).toEqual([logKey(), alpha.key, beta.key]);
  });

  it('asks a witness for one beyond what it has seen only, with the proof that it goes on from there', async () => {
    const seen = parseCheckpoint(parseNote((await alpha.newest()).checkpoint).text);
    expect(await alpha.await(Number(seen.size), 0)).toEqual({ checkpoint: '', consistencyProof: [] });
    const held = alpha.await(Number(seen.size), 20_000);
    await grow('gamma');
    const { checkpoint, consistencyProof: proof } = await held;
    const { size, root } = openCheckpoint(checkpoint, [logKey()]);
    expect(size).toBe(seen.size + 1n);
    expect(verifyConsistency({ olderSize: seen.size, olderRoot: seen.root, newerSize: size, newerRoot: root, proof })).toBe(true);
    await expect(alpha.await(10_000, 0)).rejects.toMatchObject({ code: 'malformed', message: expect.stringContaining('10000 entries') });
  });

  it('asks nobody again who has cosigned, and goes on offering one until its quorum is met', async () => {
    const offered = await alpha.work();
    await grow('delta');
    expect((await alpha.await(0, 0)).checkpoint).toBe('');
    expect((await beta.await(0, 0)).checkpoint).toBe(offered);
    const newest = await alpha.newest();
    expect(sizeOf(newest.checkpoint)).toBe(sizeOf(offered) + 1);
    expect(newest.pending).toBe(true);
    const next = alpha.await(sizeOf(offered), 20_000);
    await beta.work();
    expect((await next).checkpoint).toBe((await alpha.newest()).checkpoint);
    // A third that is late with the one before is not refused: it is as good as before.
    await beta.add(beta.cosigned(offered));
  });

  it('answers the same cosignature, and a later one of the same witness, like the first', async () => {
    const offered = await alpha.work();
    await alpha.add(alpha.cosigned(offered));
    await alpha.add(alpha.cosigned(offered, BigInt(Math.floor(Date.now() / 1000)) - 60n));
    expect(signersOf((await alpha.newest()).checkpoint, alpha, beta)).toEqual(['alpha']);
  });

  it.each<[string, string, (note: string) => string]>([
    ['nothing', 'malformed', () => ''],
    ['no note', 'malformed', () => 'checkpoint'],
    ['a control character', 'malformed', (note) => `${note}\u0007`],
    ['more than is read', 'too-large', (note) => note.padEnd(70_000, 'x')],
    ['more lines than a note has', 'malformed', (note) => note + parseNoteLine(note).repeat(120)],
    ['no cosignature', 'forbidden', (note) => note],
    ['the line of another site only', 'forbidden', (note) => alpha.cosigned(note)],
    ['a cosignature of another size', 'not-owed', (note) => beta.cosigned(note.replace(/\n\d+\n/, '\n1\n'))],
    ['a cosignature of another root', 'not-owed', (note) => beta.cosigned(note.replace(/\n[^\n]{44}\n/, `\n${'A'.repeat(43)}=\n`))],
    ['a cosignature of another ledger', 'not-owed', (note) => beta.cosigned(note.replaceAll(ORIGIN, 'ledger.example/other'))],
    ['a line under its name by another key', 'forbidden', (note) => forged(note).other],
    ['its line with one bit changed', 'bad-signature', (note) => flipped(beta.cosigned(note))],
    ['a time to come', 'clock-off', (note) => beta.cosigned(note, BigInt(Math.floor(Date.now() / 1000) + 3600))],
    ['a time beyond all dates', 'clock-off', (note) => beta.cosigned(note, (1n << 63n) - 1n)],
  ])('refuses %s as %s and changes nothing', async (_, code, note) => {
    const { checkpoint: offered } = await beta.await(0, 0);
    const before = await beta.newest();
    await expect(beta.add(note(offered))).rejects.toMatchObject({ code });
    expect(await beta.newest()).toEqual(before);
    expect((await beta.await(0, 0)).checkpoint).toBe(offered);
  });

  it('refuses a cosignature by whoever has no witness key, the operator and auditors too', async () => {
    const { checkpoint: offered } = await beta.await(0, 0);
    const stranger = new ScriptedWitness(await grow('epsilon'), ORIGIN);
    expect((await stranger.await(0, 0)).checkpoint).toBe('');
    await expect(stranger.add(stranger.cosigned(offered))).rejects.toMatchObject({ code: 'forbidden' });
    // Another site's cosignature, however good, is that site's to bring.
    await expect(stranger.add(beta.cosigned(offered))).rejects.toMatchObject({ code: 'forbidden' });
    const { ledger } = coordinator.operator;
    await expect(ask(ledger.addCosignature.bind(ledger), { checkpoint: beta.cosigned(offered) })).rejects.toMatchObject({
      code: 'forbidden',
    });
    await expect(ask(ledger.awaitCheckpoint.bind(ledger), { oldSize: 0, waitMs: 0 })).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('keeps what has come across a restart, in the middle of collecting', async () => {
    const { checkpoint: offered } = await beta.await(0, 0);
    const before = await alpha.newest();
    const receipt = await alpha.receipt(keyOfAlpha);
    await coordinator.stop();
    coordinator.options.listen = coordinator.running.address;
    await coordinator.start();
    expect(signersOf(service().current!.note, alpha, beta)).toEqual(['alpha']);
    await until(async () => expect((await alpha.newest()).checkpoint).toBe(before.checkpoint));
    expect(await alpha.receipt(keyOfAlpha)).toEqual(receipt);
    expect((await beta.await(0, 0)).checkpoint).toBe(offered);
    await beta.work();
    const { checkpoint } = await alpha.receipt(keyOfAlpha);
    expect(sizeOf(checkpoint)).toBe(sizeOf(offered));
    expect(sizeOf(checkpoint)).toBeGreaterThan(sizeOf(receipt.checkpoint));
  });

  it('takes two witnesses that race as one after the other', async () => {
    await Promise.all([alpha.work(), beta.work()]);
    const { note } = service().witnessed!;
    expect(signersOf(note, alpha, beta).toSorted()).toEqual(['alpha', 'beta']);
    expect(sizeOf(note)).toBe(sizeOf((await alpha.newest()).checkpoint));
  });

  it('has no receipt for what it does not have', async () => {
    await expect(alpha.receipt('0'.repeat(64))).rejects.toMatchObject({ code: 'unknown-object' });
    await expect(alpha.receipt('0'.repeat(63))).rejects.toMatchObject({ code: 'malformed' });
  });

  it('takes no cosignature of a site that was revoked since, and offers it nothing', async () => {
    await grow('zeta');
    const { checkpoint: offered } = await beta.await(0, 20_000);
    const held = beta.await(sizeOf(offered), 20_000);
    const { operator } = coordinator.operator;
    await ask(operator.revokeSite.bind(operator), { site: 'beta', reason: 'test' });
    await expect(held).rejects.toMatchObject({ code: 'site-revoked' });
    await expect(beta.add(beta.cosigned(offered))).rejects.toMatchObject({ code: 'site-revoked' });
    expect(service().current!.cosignatures).toEqual([]);
  });

  it('takes from whoever joined under the name no cosignature of the one before', async () => {
    const { checkpoint: offered } = await alpha.await(0, 20_000);
    const again = new ScriptedWitness(await grow('beta'), ORIGIN);
    // The offer was made when the name was the other's.
    expect(service().current!.electorate.keys.map(({ name }) => name)).toContain(beta.key.name);
    await expect(again.add(beta.cosigned(offered))).rejects.toMatchObject({ code: 'forbidden' });
    await expect(again.add(again.cosigned(offered))).rejects.toMatchObject({ code: 'forbidden' });
    await again.declare();
    await expect(again.add(again.cosigned(offered))).rejects.toMatchObject({ code: 'forbidden' });
  });

  function forged(note: string) {
    const other = new ScriptedWitness(beta.scripted, ORIGIN, new Uint8Array(32).fill(9));
    return { other: other.cosigned(note) };
  }
});

describe('a ledger whose witnesses do not come', () => {
  afterAll(async () => {
    // It does not run any more.
    await coordinator.database?.drop();
    rmSync(coordinator.folder, { recursive: true, force: true });
  });

  afterEach(() => vi.useRealTimers());

  let alphaOf: () => ScriptedWitness;

  it('waits for them for a time, and offers the newest then', async () => {
    coordinator = await new TestCoordinator({ offerMs: LONG_MS }).start();
    const [alpha, beta] = (await witnesses('alpha', 'beta')) as [ScriptedWitness, ScriptedWitness];
    alphaOf = () => alpha;
    const first = (await alpha.await(0, 0)).checkpoint;
    expect(sizeOf(first)).toBe(6);
    expect((await alpha.newest()).pending).toBe(true);
    await grow('gamma');
    await grow('delta');
    expect((await alpha.await(0, 0)).checkpoint).toBe(first);
    expect(service().published?.size).toBeLessThan(6);

    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + LONG_MS });
    expect(service().published?.size).toBe(6);
    expect((await alpha.newest()).pending).toBe(false);
    await grow('epsilon');
    // Not each in between.
    await until(async () => expect(sizeOf((await alpha.await(6, 0)).checkpoint)).toBe(9));
    expect((await alpha.newest()).pending).toBe(true);
    expect(service().published?.size).toBe(6);
    // Late, and welcome still.
    await alpha.add(alpha.cosigned(first));
    await beta.add(beta.cosigned(first));
    expect(service().witnessed?.size).toBe(6);
  });

  it('goes on by itself when the time is over, after a restart too', async () => {
    await grow('zeta');
    expect(service().current?.size).toBe(9);
    await coordinator.stop();
    Object.assign(coordinator.options, { listen: coordinator.running.address, offerMs: 1 });
    await coordinator.start();
    await until(async () => expect([service().current?.size, (await alphaOf().newest()).pending]).toEqual([10, false]));
    // What has its cosignatures stays what others are shown, and what is handed on.
    expect([service().witnessed?.size, service().published?.size]).toEqual([6, 6]);
    const { checkpoint, witnessed } = await alphaOf().newest();
    expect([sizeOf(checkpoint), sizeOf(witnessed)]).toEqual([10, 6]);
    const out = mkdtempSync(join(tmpdir(), 'cosigned-'));
    expect(await exportLedger(coordinator.operator, out)).toMatchObject({ entries: 6, uncosigned: 4 });
    expect(readFileSync(join(out, 'checkpoint'), 'utf8')).toBe(witnessed);
    rmSync(out, { recursive: true });
  });

  it('refuses to go on from a database that has lost what witnesses were offered', async () => {
    await coordinator.running.context
      .get(Database)
      .transaction((manager) =>
        manager.query('INSERT INTO checkpoint_offer (size, note, began_ms) SELECT 1000000, note, began_ms FROM checkpoint_offer LIMIT 1'),
      );
    await coordinator.stop();
    await expect(coordinator.start()).rejects.toMatchObject({ code: 'log-forked' });
  });
});

describe('a database that fails for a moment', () => {
  let alpha: ScriptedWitness;
  let beta: ScriptedWitness;

  beforeAll(async () => {
    coordinator = await new TestCoordinator({ offerMs: 1 }).start();
    [alpha, beta] = (await witnesses('alpha', 'beta')) as [ScriptedWitness, ScriptedWitness];
  });
  afterAll(() => coordinator.remove());
  // What is signed is offered a moment later.
  beforeEach(() => until(async () => expect(service().current!.size).toBe(sizeOf((await alpha.newest()).checkpoint))));

  it('leaves no checkpoint that is never offered', async () => {
    const failing = vi.spyOn(WitnessingRepository.prototype, 'addOffer').mockRejectedValueOnce(new Error('the disk is full'));
    const before = service().current!.size;
    await grow('gamma');
    await until(() => expect(service().current!.size).toBe(before + 1));
    expect(failing).toHaveBeenCalledTimes(2);
  });

  it('leaves no entry that is never signed', async () => {
    const failing = vi.spyOn(LedgerLog.prototype, 'follow').mockRejectedValueOnce(new Error('the disk is full'));
    const before = sizeOf((await alpha.newest()).checkpoint);
    await grow('delta').catch(() => {});
    await until(async () => expect(sizeOf((await alpha.newest()).checkpoint)).toBe(before + 1));
    expect(failing).toHaveBeenCalledTimes(2);
  });

  it('takes a cosignature whose answer was lost, when it comes again', async () => {
    const { checkpoint: offered } = await alpha.await(0, 20_000);
    const database = coordinator.running.context.get(Database);
    const transaction = database.transaction.bind(database);
    const adding = vi.spyOn(WitnessingRepository.prototype, 'addCosignature');
    vi.spyOn(database, 'transaction').mockImplementation(async (work) => {
      const result = await transaction(work);
      if (adding.mock.calls.length === 1) throw new Error('the line was cut');
      return result;
    });
    await expect(alpha.add(alpha.cosigned(offered))).rejects.toThrow();
    vi.restoreAllMocks();
    await alpha.add(alpha.cosigned(offered));
    expect(signersOf(service().current!.note, alpha)).toEqual(['alpha']);
  });

  it('shows no less after a restart, though a smaller checkpoint had its quorum late', async () => {
    const { checkpoint: small } = await beta.await(0, 20_000);
    await grow('epsilon');
    await until(() => expect(service().published!.size).toBe(sizeOf(small) + 1));
    await beta.add(beta.cosigned(small));
    expect(service().witnessed!.size).toBe(sizeOf(small));
    expect(service().published!.size).toBe(sizeOf(small) + 1);
    await coordinator.stop();
    coordinator.options.listen = coordinator.running.address;
    await coordinator.start();
    expect(service().published!.size).toBe(sizeOf(small) + 1);
  });
});

describe('a witness key', () => {
  let alpha: ScriptedWitness;
  let beta: ScriptedWitness;

  beforeAll(async () => {
    coordinator = await new TestCoordinator({ offerMs: LONG_MS }).start();
    const [first, second] = (await coordinator.join('alpha', 'beta')) as [ScriptedSite, ScriptedSite];
    [alpha, beta] = [new ScriptedWitness(first, ORIGIN), new ScriptedWitness(second, ORIGIN)];
  });
  afterAll(() => coordinator.remove());

  const size = async () => sizeOf((await alpha.newest()).checkpoint);

  it('is written down once, however often it comes', async () => {
    const [first, again] = await Promise.all([alpha.declare(), alpha.declare()]);
    expect(first).toBe(again);
    const before = await size();
    expect(await alpha.declare()).toBe(first);
    expect(await size()).toBe(before);
  });

  it.each<[string, string, () => Promise<string>]>([
    [
      'of another site',
      'forbidden',
      () => beta.scripted.submit('witness-key', { consortium: 'scripted', site: 'alpha', key: '1'.repeat(64) }),
    ],
    [
      'for another consortium',
      'other-consortium',
      () => beta.scripted.submit('witness-key', { consortium: 'other', site: 'beta', key: '1'.repeat(64) }),
    ],
    ["that is another site's", 'identity-taken', () => keyed(alpha.key.publicKey)],
    ["that is the site's own identity", 'identity-taken', () => keyed(beta.scripted.identity.publicKey)],
    ["that is another's identity", 'identity-taken', () => keyed(alpha.scripted.identity.publicKey)],
    ["that is the operator's", 'identity-taken', () => keyed(Buffer.from(coordinator.running.facts.operatorKey, 'hex'))],
    ["that is the log's", 'identity-taken', () => keyed(logKey().publicKey)],
    [
      'that another key has signed',
      'bad-signature',
      () => {
        const { consortium, site, calls } = beta.scripted;
        return calls.submit(signStatement('witness-key', { consortium, site, key: '1'.repeat(64) }, generateIdentity()), 'witness-key');
      },
    ],
  ])('%s is refused as %s and not written down', async (_, code, submit) => {
    const before = await size();
    await expect(submit()).rejects.toMatchObject({ code });
    expect(await size()).toBe(before);
  });

  it('takes the place of the one before, which does not come back', async () => {
    const next = new ScriptedWitness(alpha.scripted, ORIGIN, new Uint8Array(32).fill(3));
    await next.declare();
    await beta.declare();
    await until(() => expect(service().current?.electorate.keys).toEqual([next.key, beta.key]));
    await expect(alpha.declare()).rejects.toMatchObject({ code: 'already-different' });
    const { checkpoint: offered } = await next.await(0, 0);
    await expect(alpha.add(alpha.cosigned(offered))).rejects.toMatchObject({ code: 'forbidden' });
    await next.add(next.cosigned(offered));
  });

  function keyed(key: Uint8Array): Promise<string> {
    return beta.scripted.submit('witness-key', { consortium: 'scripted', site: 'beta', key: bytesToHex(key) });
  }
});

/** The log's own line. */
function parseNoteLine(note: string): string {
  return `${note.trimEnd().split('\n').at(-1)}\n`;
}

function flipped(note: string): string {
  const at = note.length - 20;
  return `${note.slice(0, at)}${note[at] === 'A' ? 'B' : 'A'}${note.slice(at + 1)}`;
}
