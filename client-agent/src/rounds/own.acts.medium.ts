import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { peekStatement, planDigest, type PredicateName, runId, signStatement, sumInput } from '@coferment/consortium';
import { type DsseEnvelope, type Identity, loadCrypto, sha256Hex } from '@coferment/crypto';
import { entryFor } from '@coferment/ledger';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentError } from '../agent.error.js';
import { CoordinatorRefusal } from '../connection/coordinator.errors.js';
import { approvePlan, approveRoster, offerSealingKey } from './approval.handlers.js';
import { agreeEpoch, checkDealing, dealKey } from './ceremony.handlers.js';
import { ScriptedConsortium } from './consortium.fixture.js';
import { encrypt, prepareSum } from './contribution.handlers.js';
import { CONSORTIUM, type Member, reopenMember } from './members.fixture.js';
import { attest, releaseShare } from './opening.handlers.js';
import { recallOwnActs, tellDeadEpochs } from './own.acts.js';
import { PollLoop } from './poll.loop.js';
import { applySum } from './publication.handlers.js';
import { leaveRun } from './run.departure.js';

const open: ScriptedConsortium[] = [];

const code = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error as AgentError).code,
  );

function newConsortium(): ScriptedConsortium {
  const consortium = new ScriptedConsortium();
  open.push(consortium);
  return consortium;
}

async function inTraining(): Promise<ScriptedConsortium> {
  const consortium = newConsortium();
  await consortium.toRounds();
  return consortium;
}

/** A copy of the whole data folder, as a person makes one. */
function backUp(member: Member): string {
  const copy = join(mkdtempSync(join(tmpdir(), 'agent-backup-')), 'data');
  cpSync(member.folder, copy, { recursive: true });
  return copy;
}

/** The agent of a site starts on a copy of its data folder. */
function restore(consortium: ScriptedConsortium, site: string, folder: string): Member {
  const old = consortium.member(site);
  const restored = reopenMember({ ...old, folder }, consortium.board);
  consortium.members[consortium.members.indexOf(old)] = restored;
  return restored;
}

const sentBy = ({ board }: ScriptedConsortium, site: string): PredicateName[] =>
  board.acts.flatMap((act) => (act.site === site ? [peekStatement(act.envelope).name] : []));

/** Writes into the ledger what no honest coordinator would. */
function log(
  { board }: ScriptedConsortium,
  envelope: DsseEnvelope,
  signer: Identity,
  change: (entry: string) => string = (entry) => entry,
): void {
  const entry = Buffer.from(change(Buffer.from(entryFor(envelope, signer.publicKey)).toString()));
  board.ledger.push({ index: board.ledger.length, entry, payload: Buffer.from(envelope.payload, 'base64') });
}

function release(consortium: ScriptedConsortium, site: string, signer: Identity): DsseEnvelope {
  const { run, e } = consortium;
  const d = 'd'.repeat(64);
  const share = { consortium: CONSORTIUM, run, e, kind: 'update' as const, sum: 5, k: d, t: d, site, blocks: 1, object: d, merkleRoot: d };
  return signStatement('share', share, signer);
}

beforeAll(loadCrypto);
afterAll(() => open.forEach((consortium) => consortium.close()));

describe('a data folder restored from before an encryption', () => {
  it('lets nothing leave: no ciphertext, no signature, no share', async () => {
    const consortium = await inTraining();
    const { run, board } = consortium;
    const name = consortium.name('update', 5, 1);
    for (const member of consortium.members) await prepareSum(member, { name });
    const backup = backUp(consortium.member('a'));
    const nonces = consortium.noncesOf(name);
    for (const member of consortium.members) await encrypt(member, { name, nonces });
    const frozen = consortium.frozen(name);
    for (const site of ['b', 'c']) await attest(consortium.member(site), { sums: [frozen] });
    const certificate = board.latest('attestation');

    const a = restore(consortium, 'a', backup);
    // What an agent that kept its nonce would need: nothing of it helps.
    await recallOwnActs(a);
    expect(a.journal.ownActs.whyDead(run, 1)).toMatch(/Entry \d+ of the ledger \(contribution\) .* restored from a backup/);
    const before = board.acts.length;
    const refusals = [
      prepareSum(a, { name }),
      prepareSum(a, { name: { ...name, attempt: 2 } }),
      encrypt(a, { name, nonces }),
      attest(a, { sums: [frozen] }),
      releaseShare(a, { frozen, certificate }),
      dealKey(a, { run, epoch: 1 }),
      checkDealing(a, { run, epoch: 1, dealing: board.all('dealing')[0]! }),
      agreeEpoch(a, { run, epoch: 1, dealings: [], acknowledgements: [] }),
    ];
    for (const refused of refusals) expect(await code(refused)).toBe('epoch-dead');
    await expect(encrypt(a, { name, nonces })).rejects.toThrow(/key epoch 1 .*Entry .*coferment epochs renew/);
    expect(board.acts).toHaveLength(before);
    for (const secret of ['sealing', 'secret', 'noise', 'share/b']) expect(a.store.read(`epochs/${run}/1/${secret}`)).toBeUndefined();
    expect(a.events).toContainEqual(expect.objectContaining({ event: 'refused', run, code: 'epoch-dead' }));
    // The run may go on in another key epoch: only this one is dead.
    expect(a.journal.runs.get(run)?.state).toBe('approved');
  });

  it('still follows the sums that others open, which needs no key and signs nothing', async () => {
    const consortium = await inTraining();
    const backup = backUp(consortium.member('a'));
    const frozen = await consortium.contribute(consortium.name('update', 5, 1));
    const instruction = await consortium.open(frozen, await consortium.certify([frozen]));
    const a = restore(consortium, 'a', backup);
    await recallOwnActs(a);
    expect(await code(applySum(a, instruction))).toBe('no error');
    expect(a.journal.models.progress(consortium.run).state?.round).toBe(1);
  });

  it('sends no second vector for a model whose first one it has lost, in a later epoch either', async () => {
    const consortium = await inTraining();
    const { run } = consortium;
    const backup = backUp(consortium.member('a'));
    const name = consortium.name('update', 5, 1);
    await consortium.contribute(name);
    const a = restore(consortium, 'a', backup);
    await recallOwnActs(a);
    const raw = new DatabaseSync(join(backup, 'journal.sqlite'));
    raw.prepare('DELETE FROM dead_epochs').run();
    raw.close();
    expect(await code(prepareSum(a, { name: consortium.name('update', 6, 1) }))).toBe('vector-spent');
    expect(a.trainer.trained).toBe(0);
    expect(sentBy(consortium, 'a').at(-1)).toBe('attempt-declined');
    expect(a.journal.ownActs.hasForgottenUpload(run, 'update')).toBe(true);
  });

  it('sends none after a renewal either, whose confirm sums have higher numbers and leave the model as it is', async () => {
    const consortium = await inTraining();
    const backup = backUp(consortium.member('a'));
    await consortium.contribute(consortium.name('update', 5, 1));
    const a = restore(consortium, 'a', backup);
    await recallOwnActs(a);
    await consortium.renew({ epoch: 2, firstSum: 6 });
    expect(a.journal.models.progress(consortium.run).appliedSum).toBe(8);
    expect(await code(prepareSum(a, { name: consortium.name('update', 9, 1) }))).toBe('vector-spent');
    expect(a.trainer.trained).toBe(0);
  });

  it('trains again once there is another model', async () => {
    const consortium = await inTraining();
    const backup = backUp(consortium.member('a'));
    const frozen = await consortium.contribute(consortium.name('update', 5, 1));
    const instruction = await consortium.open(frozen, await consortium.certify([frozen]));
    for (const site of ['b', 'c']) await applySum(consortium.member(site), instruction);
    const a = restore(consortium, 'a', backup);
    await recallOwnActs(a);
    await applySum(a, instruction);
    await consortium.renew({ epoch: 2, firstSum: 6 });
    expect(await code(prepareSum(a, { name: consortium.name('update', 9, 2) }))).toBe('no error');
  });

  it('sends no second statistics vector, in another run of the plan either', async () => {
    const consortium = newConsortium();
    consortium.openEpoch();
    await consortium.ceremony();
    await consortium.confirm();
    const backup = backUp(consortium.member('a'));
    await consortium.contribute(consortium.name('statistics', 4));
    const a = restore(consortium, 'a', backup);
    await recallOwnActs(a);
    const { plan, sites } = a.journal.runs.get(consortium.run)!;
    const next = runId(plan, 2);
    a.journal.runs.announce(next, plan, 2, sites);
    expect(a.journal.ownActs.hasForgottenUpload(consortium.run, 'statistics')).toBe(true);
    expect(a.journal.ownActs.hasForgottenUpload(next, 'statistics')).toBe(true);
    expect(a.journal.ownActs.hasForgottenUpload(next, 'update')).toBe(false);
    await consortium.renew({ epoch: 2, firstSum: 5 });
    expect(await code(prepareSum(a, { name: consortium.name('statistics', 8) }))).toBe('vector-spent');
  });
});

describe('a run that ends while a site trains', () => {
  it('gets no nonce, and the vector is not kept', async () => {
    const consortium = await inTraining();
    const { run, plan } = consortium;
    const a = consortium.member('a');
    const build = a.trainer.build.bind(a.trainer);
    a.trainer.build = async (job) => {
      const built = await build(job);
      leaveRun(a, run, 'it was ended');
      return built;
    };
    const before = consortium.board.acts.length;
    expect(await code(prepareSum(a, { name: consortium.name('update', 5, 1) }))).toBe('epoch-dead');
    expect(consortium.board.acts).toHaveLength(before);
    const { modelIn } = sumInput(plan, 'update', consortium.state);
    expect(a.journal.rounds.vector(planDigest(plan), 'update', modelIn)).toBeUndefined();
  });
});

describe('a data folder restored from before a release', () => {
  it('lets nothing leave, and is bound again by the set it had attested', async () => {
    const consortium = await inTraining();
    const { run, board } = consortium;
    const frozen = await consortium.contribute(consortium.name('update', 5, 1));
    const backup = backUp(consortium.member('a'));
    const certificate = await consortium.certify([frozen]);
    const { t, set, modelIn } = consortium.contextOf(frozen);
    await consortium.open(frozen, certificate);
    const a = restore(consortium, 'a', backup);
    expect(a.journal.rounds.frozenT(run, 5)).toBeUndefined();
    await recallOwnActs(a);
    const before = board.acts.length;
    expect(await code(releaseShare(a, { frozen, certificate }))).toBe('epoch-dead');
    expect(await code(attest(a, { sums: [frozen] }))).toBe('epoch-dead');
    expect(board.acts).toHaveLength(before);
    expect(a.journal.rounds.frozenT(run, 5)).toBe(t);
    const freeze = { consortium: CONSORTIUM, run, sum: 6, kind: 'evaluate' as const, modelIn, t: 'e'.repeat(64), sites: ['a', 'b'] };
    expect(() => a.journal.rounds.bindFreeze({ ...freeze, set: 'e'.repeat(64) })).toThrow(/first counted over another set/);
    expect(() => a.journal.rounds.bindFreeze({ ...freeze, set })).not.toThrow();
  });
});

describe('a data folder restored from before', () => {
  it('its dealing: the epoch is dead though its number is all that is known of it', async () => {
    const consortium = newConsortium();
    consortium.openEpoch();
    const backup = backUp(consortium.member('a'));
    await consortium.ceremony();
    const a = restore(consortium, 'a', backup);
    await recallOwnActs(a);
    const { run } = consortium;
    expect(a.journal.ownActs.whyDead(run, 1)).toMatch(/\(dealing\)/);
    const { plan, ordinal, roster } = { ...a.journal.runs.get(run)!, ...a.journal.runs.epoch(run, 1)! };
    expect(await code(offerSealingKey(a, { run, ordinal, plan, epoch: 1 }))).toBe('epoch-dead');
    expect(await code(approveRoster(a, { run, epoch: 1, roster }))).toBe('epoch-dead');
    expect(await code(dealKey(a, { run, epoch: 1 }))).toBe('epoch-dead');
  });

  it('its approval: the run is dead, and its ordinal stays used up', async () => {
    const consortium = newConsortium();
    const { run } = consortium;
    const a0 = consortium.member('a');
    const backup = backUp(a0);
    consortium.openEpoch();
    const { plan: digest, sites } = a0.journal.runs.get(run)!;
    await approvePlan(a0, { run, ordinal: 1, plan: digest, sites });
    const a = restore(consortium, 'a', backup);
    expect(a.journal.runs.get(run)).toBeUndefined();
    await recallOwnActs(a);
    expect(a.journal.runs.get(run)).toMatchObject({ state: 'dead', ordinal: 1, detail: expect.stringMatching(/plan-approved.*new run/) });
    expect(await code(approvePlan(a, { run, ordinal: 1, plan: digest, sites }))).toBe('epoch-dead');
    expect(a.journal.runs.largestApprovedOrdinal(digest, 'another')).toBe(1);
  });
});

describe('entries that this site has not signed', () => {
  it('do nothing: forged, unsigned, from somebody else, for another consortium, or no entries at all', async () => {
    const consortium = await inTraining();
    const { run, e } = consortium;
    const [a, b] = [consortium.member('a'), consortium.member('b')];
    const own = release(consortium, 'a', a.identity);
    const d = 'd'.repeat(64);
    // The payload changed after it was signed.
    log(consortium, own, a.identity);
    consortium.board.ledger.at(-1)!.payload = Buffer.from(release(consortium, 'a', b.identity).payload, 'base64').subarray(1);
    // A signature of nothing, and one by somebody else, under this site's key.
    log(consortium, own, a.identity, (entry) =>
      entry.replace(/"content":"[^"]+"/, `"content":"${Buffer.alloc(64, 1).toString('base64')}"`),
    );
    const foreign = release(consortium, 'a', b.identity);
    log(consortium, foreign, b.identity, (entry) =>
      entry.replace(/"rawBytes":"[^"]+"/, /"rawBytes":"[^"]+"/.exec(Buffer.from(entryFor(own, a.identity.publicKey)).toString())![0]),
    );
    // Somebody else's act with this site's name, well signed.
    log(consortium, foreign, b.identity);
    // This site's own signatures on what is not its business here.
    const elsewhere = { consortium: 'elsewhere', run, epoch: 1, e0: d, dealer: 'b', site: 'a', dealing: d };
    log(consortium, signStatement('dealing-ack', elsewhere, a.identity), a.identity);
    log(consortium, signStatement('dealing-ack', { ...elsewhere, consortium: CONSORTIUM, site: 'b' }, a.identity), a.identity);
    log(
      consortium,
      signStatement('round-stuck', { consortium: CONSORTIUM, run, e, kind: 'update', sum: 5, round: 1, reason: '' }, a.identity),
      a.identity,
    );
    // Signed by this site, but only for the way to the coordinator, so that its journal keeps no copy.
    await prepareSum(a, { name: consortium.name('update', 5, 1) });
    log(consortium, consortium.board.all('nonce').at(-1)!, a.identity);
    const index = consortium.board.ledger.length;
    consortium.board.ledger.push({ index, entry: Buffer.from('{"no":"entry"}'), payload: Buffer.alloc(0) });

    // An entry that is remembered, with a payload that nobody has signed beside it.
    const remembered = consortium.board.ledger.find(({ payload }) => a.journal.statements.has(sha256Hex(payload)))!;
    consortium.board.ledger.push({ ...remembered, index: index + 1, payload: Buffer.from(own.payload, 'base64') });

    await recallOwnActs(a);
    expect(a.journal.ownActs.deadEpochs()).toEqual([]);
    expect(a.journal.runs.get(run)?.state).toBe('approved');
    const frozen = await consortium.contribute(consortium.name('update', 5, 1));
    await consortium.open(frozen, await consortium.certify([frozen]));

    // The same act with its true signature is what ends the epoch.
    log(consortium, release(consortium, 'a', a.identity), a.identity);
    await recallOwnActs(a);
    expect(a.journal.ownActs.whyDead(run, 1)).toMatch(/\(share\)/);
  });
});

describe('reading the ledger', () => {
  it('goes on where it stopped, and finds an honest restart in order', async () => {
    const consortium = await inTraining();
    await recallOwnActs(consortium.member('a'));
    const { entries } = consortium.member('a').journal.ownActs.position();
    expect(entries).toBe(consortium.board.ledger.length);
    await consortium.wholeSum(consortium.name('update', 5, 1));
    const a = consortium.restart('a');
    const asked: number[][] = [];
    const ledgerEntries = a.port.ledgerEntries.bind(a.port);
    a.port.ledgerEntries = (start, limit) => {
      asked.push([start, limit]);
      return ledgerEntries(start, limit);
    };
    await recallOwnActs(a);
    expect(asked[0]).toEqual([entries - 1, 1]);
    expect(asked[1]?.[0]).toBe(entries);
    expect(a.journal.ownActs.position().entries).toBe(consortium.board.ledger.length);
    expect(a.journal.ownActs.deadEpochs()).toEqual([]);
  });

  it('begins anew when another entry stands where it stopped', async () => {
    const consortium = await inTraining();
    const a = consortium.member('a');
    await recallOwnActs(a);
    const { entries } = a.journal.ownActs.position();
    a.journal.ownActs.moveTo({ entries, lastEntry: 'f'.repeat(64) });
    const starts: number[] = [];
    const ledgerEntries = a.port.ledgerEntries.bind(a.port);
    a.port.ledgerEntries = (start, limit) => {
      starts.push(start);
      return ledgerEntries(start, limit);
    };
    await recallOwnActs(a);
    expect(starts[1]).toBe(0);
  });

  it('takes a page with other entries than it asked for as none', async () => {
    const consortium = await inTraining();
    const a = consortium.member('a');
    const entries = consortium.board.ledger;
    for (const page of [entries.slice(1, 9), [...entries.slice(0, 60), ...entries.slice(0, 60)], [entries[0]!, entries[0]!]]) {
      a.port.ledgerEntries = () => Promise.resolve(page);
      expect(await code(recallOwnActs(a))).toBe('malformed-response');
      expect(a.journal.ownActs.position().entries).toBe(0);
    }
  });

  it('comes before everything else: while it fails, nothing is polled', async () => {
    const consortium = await inTraining();
    const a = consortium.member('a');
    const stop = new AbortController();
    const asked: string[] = [];
    const ledgerEntries = a.port.ledgerEntries.bind(a.port);
    a.port.poll = () => {
      asked.push('poll');
      stop.abort();
      return Promise.resolve({ instructions: [], runs: [], owed: '', coordinatorTimeMs: 0 });
    };
    a.port.ledgerEntries = (start, limit) => {
      asked.push('ledger');
      return asked.length === 1 ? Promise.reject(new AgentError('unreachable', 'the line is cut')) : ledgerEntries(start, limit);
    };
    await new PollLoop(a, { waitMs: 100, renew: () => Promise.resolve(), explain: () => Promise.resolve() }).run(stop.signal);
    expect(asked.slice(0, 2)).toEqual(['ledger', 'ledger']);
    expect(asked.indexOf('poll')).toBeGreaterThan(1);
  });
});

describe('the coordinator', () => {
  it('is told of a dead epoch once, when it can be reached, and its refusal changes nothing', async () => {
    const consortium = await inTraining();
    const { run, board } = consortium;
    const backup = backUp(consortium.member('a'));
    await consortium.contribute(consortium.name('update', 5, 1));
    const a = restore(consortium, 'a', backup);
    await recallOwnActs(a);
    board.failing = true;
    expect(await code(tellDeadEpochs(a))).toBe('unreachable');
    board.failing = false;
    await tellDeadEpochs(a);
    await tellDeadEpochs(a);
    expect(sentBy(consortium, 'a').filter((name) => name === 'epoch-left')).toHaveLength(1);
    expect(peekStatement(board.latest('epoch-left')[0]!).predicate).toEqual({
      consortium: CONSORTIUM,
      run,
      epoch: 1,
      site: 'a',
      reason: 'restored',
    });

    const b = consortium.member('b');
    b.journal.ownActs.killEpoch({ run, epoch: 1, reason: 'restored.' });
    b.port.submitStatement = () => Promise.reject(new CoordinatorRefusal('run-over', 'coordinator-refused', 'it is over'));
    await tellDeadEpochs(b);
    expect(b.journal.ownActs.untold()).toEqual([]);
    expect(b.journal.ownActs.whyDead(run, 1)).toBeDefined();
  });
});
