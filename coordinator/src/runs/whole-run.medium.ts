import { sha256Hex } from '@coferment/crypto';
import { ObjectPurpose } from '@coferment/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLedger, statementsOf } from '../cli/ledger.reader.js';
import { CallAllowance } from '../limits/call.allowance.js';
import { DEFAULT_LIMITS } from '../limits/coordinator.limits.js';
import { CHANGED_ROWS, withChangedRow } from '../testing/changed-row.fixture.js';
import { TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import type { ScriptedSite } from '../testing/scripted-site.fixture.js';

describe('a run of three scripted sites', () => {
  const coordinator = new TestCoordinator();
  let sites: ScriptedSite[];
  let run: string;
  const calls: string[] = [];
  const stateOf = async (sum: number) => (await coordinator.run(run)).rounds.find((round) => round.sum === sum)?.state;

  beforeAll(async () => {
    await coordinator.start();
    const allowance = coordinator.running.context.get(CallAllowance);
    const counted = allowance.caller.bind(allowance);
    allowance.caller = (certificate) => {
      calls.push(certificate);
      return counted(certificate);
    };
    sites = await coordinator.join('alpha', 'beta', 'gamma');
    run = await coordinator.launch();
  });
  afterAll(async () => {
    for (const site of sites) site.calls.close();
    await coordinator.remove();
  });

  it('refuses acts that are not due yet', async () => {
    const [alpha] = sites as [ScriptedSite];
    await alpha.work();
    const early = alpha.submit('sealing-key', { consortium: 'scripted', run, epoch: 1, site: 'alpha', key: 'a'.repeat(2432) });
    await expect(early).rejects.toMatchObject({ code: 'not-owed' });
    expect((await coordinator.run(run)).waitingFor).toEqual(['beta', 'gamma']);
  });

  it('agrees on a key epoch and asks for the confirm sums', async () => {
    await workUntil(sites, async () => (await coordinator.run(run)).rounds.length > 0);
    expect((await coordinator.run(run)).rounds.map(({ kind, sum, state }) => ({ kind, sum, state }))).toMatchObject([
      { kind: 'confirm', sum: 1 },
      { kind: 'confirm', sum: 2 },
      { kind: 'confirm', sum: 3 },
    ]);
  });

  it('refuses what was signed by or for another site, and takes the same act twice', async () => {
    const [alpha, beta] = sites as [ScriptedSite, ScriptedSite];
    const name = { run, epoch: 1, sum: 1, kind: 'confirm', round: 0, attempt: 1 };
    const nonce = alpha.nonce(name);
    await expect(beta.calls.submit(nonce, 'nonce')).rejects.toMatchObject({ code: 'bad-signature' });
    await expect(
      beta.calls.submit(
        beta.sign('nonce', { ...beta.inSum(name), i: beta.context(name).i, attempt: 1, site: 'alpha', nonce: 'b'.repeat(64) }),
        'nonce',
      ),
    ).rejects.toMatchObject({
      code: 'forbidden',
    });
    const first = await alpha.calls.submit(nonce, 'nonce');
    expect(await alpha.calls.submit(nonce, 'nonce')).toBe(first);
    alpha.nonces.delete('1/1');
    await expect(alpha.calls.submit(alpha.nonce(name), 'nonce')).rejects.toMatchObject({
      code: expect.stringMatching(/already-different|not-owed/),
    });
    alpha.nonces.set('1/1', JSON.parse(Buffer.from(nonce.payload, 'base64').toString()).predicate.nonce as string);
  });

  it('opens the confirm sums exactly and goes on to the statistics', async () => {
    await workUntil(sites, async () => (await stateOf(4)) !== undefined);
    const status = await coordinator.run(run);
    expect(status.state).toBe('running');
    expect(status.rounds.slice(0, 3).map((round) => round.state)).toEqual(['closed', 'closed', 'closed']);
    expect(status.rounds.slice(0, 3).map((round) => round.counted)).toEqual([['alpha'], ['beta'], ['gamma']]);
  });

  it('refuses a nonce for another model', async () => {
    const { waitingFor } = await coordinator.run(run);
    const site = sites.find((candidate) => candidate.site === waitingFor.at(-1))!;
    const name = { run, epoch: 1, sum: 4, kind: 'statistics', round: 0, attempt: 1 };
    const wrong = site.submit('nonce', { ...site.inSum(name), i: 'c'.repeat(64), attempt: 1, site: site.site, nonce: 'd'.repeat(64) });
    await expect(wrong).rejects.toMatchObject({ code: 'other-input' });
  });

  it('resumes an upload where it stopped, and refuses wrong offsets, sizes and digests', async () => {
    const [alpha, ...others] = sites as [ScriptedSite, ...ScriptedSite[]];
    await workUntil(sites, async () => (await stateOf(5)) !== undefined);
    // The others do all they can; from then on every step is alpha's.
    await workUntil(others, async () => (await coordinator.run(run)).waitingFor.join() === 'alpha');
    if ((await stateOf(5)) !== 'uploading') await alpha.work();
    await workUntil(others, async () => (await stateOf(5)) === 'uploading' && (await coordinator.run(run)).waitingFor.join() === 'alpha');
    const { instructions } = await alpha.calls.poll([{ run, appliedSum: alpha.appliedSum }], '', 0);
    const kind = instructions[0]?.kind;
    if (kind?.$case !== 'encrypt') throw new Error(`expected encrypt, got ${kind?.$case}`);
    const { bytes, predicate } = alpha.contribution(kind.encrypt.name!, kind.encrypt.nonces);
    const header = { digest: predicate.object, size: bytes.length, offset: 0, purpose: ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, run };

    await expect(alpha.submit('contribution', predicate)).rejects.toMatchObject({ code: 'unknown-object' });
    await expect(alpha.calls.send({ ...header, size: bytes.length + 1 }, bytes)).rejects.toMatchObject({ code: 'wrong-size' });
    const half = Math.floor(bytes.length / 2);
    expect(await alpha.calls.send(header, bytes.subarray(0, half))).toMatchObject({ received: half, complete: false });
    await coordinator.stop();
    await coordinator.start();
    expect(await alpha.calls.uploadState(predicate.object)).toMatchObject({ received: half, complete: false });
    await expect(alpha.calls.send({ ...header, offset: half - 1 }, bytes.subarray(half))).rejects.toMatchObject({ code: 'wrong-offset' });

    const forged = sha256Hex(new Uint8Array([1]));
    await expect(alpha.calls.send({ ...header, digest: forged }, bytes)).rejects.toMatchObject({ code: 'wrong-digest' });
    expect(await alpha.calls.uploadState(forged)).toMatchObject({ received: 0 });

    expect(await alpha.calls.send({ ...header, offset: half }, bytes.subarray(half))).toMatchObject({ complete: true });
    await expect(alpha.submit('contribution', { ...predicate, merkleRoot: 'e'.repeat(64) })).rejects.toMatchObject({
      code: 'wrong-digest',
    });
    // A bit behind the last coefficient carries nothing but a second encoding of the same sum.
    const padded = Uint8Array.from(bytes);
    padded[padded.length - 1]! |= 0x80;
    await expect(alpha.calls.upload(padded, ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, run)).rejects.toMatchObject({ code: 'malformed' });
    await expect(alpha.submit('contribution', { ...predicate, object: sha256Hex(padded) })).rejects.toMatchObject({
      code: 'unknown-object',
    });
    await expect(alpha.submit('contribution', { ...predicate, attempt: 2 })).rejects.toMatchObject({ code: 'not-owed' });
    await alpha.submit('contribution', predicate);
    await alpha.submit('contribution', predicate);
    await expect(alpha.calls.download(predicate.object)).rejects.toMatchObject({ code: 'unknown-object' });
  });

  it('asks, as fast as it can and without a pause, for less than half of what a site may', () => {
    const bySite = Map.groupBy(calls, (certificate) => certificate);
    const most = Math.max(...[...bySite.values()].map((made) => made.length));
    expect(most).toBeGreaterThan(20);
    expect(most).toBeLessThan(DEFAULT_LIMITS.caller.callsPer10s / 2);
  });

  it('goes on after the restart to the last model, which every site has computed itself', async () => {
    await workUntil(sites, () => sites.every((site) => site.closed));
    const status = await coordinator.run(run);
    expect(status).toMatchObject({ state: 'completed', roundsClosed: 1 });
    expect(status.rounds.map((round) => round.kind)).toEqual(['confirm', 'confirm', 'confirm', 'statistics', 'update', 'evaluate']);
    expect(status.rounds.at(-1)?.metric).toBeCloseTo(2, 6);
    for (const site of sites)
      expect(site.context({ run, epoch: 1, sum: 6, kind: 'evaluate', round: 1, attempt: 1 }).modelIn).toBe(status.model);
  });

  it('has every act in the ledger once, and no nonce', async () => {
    const names = statementsOf(await readLedger(coordinator.operator)).map((statement) => statement.name);
    const count = (name: string) => names.filter((candidate) => candidate === name).length;
    expect(count('contribution')).toBe(3 + 3 * 3);
    expect(count('aggregate')).toBe(6);
    expect(count('run-closed')).toBe(1);
    expect(count('nonce')).toBe(0);
    expect(names.indexOf('run-opened')).toBeGreaterThan(names.lastIndexOf('plan-approved'));
  });

  it.each(CHANGED_ROWS)(
    'with $what in its database is refused by the auditor, and the entry is named',
    async ({ change, auditor, operator }) => {
      const found = await withChangedRow(coordinator, change);
      expect(found.auditor).toMatch(auditor);
      expect(found.operator).toMatch(operator);
    },
  );

  it('is followed by runs over the same sites only', async () => {
    const [delta] = await coordinator.join('delta');
    await expect(coordinator.launch()).rejects.toMatchObject({ code: 'set-fixed', message: expect.stringMatching(/with delta beside/) });
    expect(await coordinator.launch(undefined, ['alpha', 'beta', 'gamma'])).toMatch(/^r2-/);
    delta!.calls.close();
  });

  it('takes nothing more', async () => {
    const [alpha] = sites as [ScriptedSite];
    const late = alpha.submit('plan-approved', {
      consortium: 'scripted',
      site: 'alpha',
      plan: alpha.planDigest,
      ordinal: 1,
      sites: ['alpha', 'beta'],
    });
    await expect(late).rejects.toMatchObject({ code: 'run-over' });
  });
});
