import { join } from 'node:path';
import { peekStatement, type PredicateName, runId } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, it } from 'vitest';
import { copyFolder } from '../testing/folder.copy.fixture.js';
import { CoordinatorRefusal } from '../connection/coordinator.errors.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { approvePlan, approveRoster, offerSealingKey } from './approval.handlers.js';
import { agreeEpoch, checkDealing, dealKey } from './ceremony.handlers.js';
import type { ScriptedConsortium } from './consortium.fixture.js';
import { encrypt, prepareSum } from './contribution.handlers.js';
import { CONSORTIUM, type Member, reopenMember } from './members.fixture.js';
import { codeOf, inTraining, openConsortium } from './opened.consortia.fixture.js';
import { attest, releaseShare } from './opening.handlers.js';
import { recallOwnActs, tellDeadEpochs } from './own.acts.js';
import { applySum } from './publication.handlers.js';

/** A copy of the whole data folder, as a person makes one. */
function backUp(member: Member): string {
  const copy = join(temporaryFolder('agent-backup'), 'data');
  copyFolder(member.folder, copy);
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

beforeAll(loadCrypto);

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
    for (const refused of refusals) expect(await codeOf(refused)).toBe('epoch-dead');
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
    expect(await codeOf(applySum(a, instruction))).toBe('no error');
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
    expect(await codeOf(prepareSum(a, { name: consortium.name('update', 6, 1) }))).toBe('vector-spent');
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
    expect(await codeOf(prepareSum(a, { name: consortium.name('update', 9, 1) }))).toBe('vector-spent');
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
    expect(await codeOf(prepareSum(a, { name: consortium.name('update', 9, 2) }))).toBe('no error');
  });

  it('sends no second statistics vector, in another run of the plan either', async () => {
    const consortium = openConsortium();
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
    expect(await codeOf(prepareSum(a, { name: consortium.name('statistics', 8) }))).toBe('vector-spent');
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
    expect(await codeOf(releaseShare(a, { frozen, certificate }))).toBe('epoch-dead');
    expect(await codeOf(attest(a, { sums: [frozen] }))).toBe('epoch-dead');
    expect(board.acts).toHaveLength(before);
    expect(a.journal.rounds.frozenT(run, 5)).toBe(t);
    const freeze = { consortium: CONSORTIUM, run, sum: 6, kind: 'evaluate' as const, modelIn, t: 'e'.repeat(64), sites: ['a', 'b'] };
    expect(() => a.journal.rounds.bindFreeze({ ...freeze, set: 'e'.repeat(64) })).toThrow(/first counted over another set/);
    expect(() => a.journal.rounds.bindFreeze({ ...freeze, set })).not.toThrow();
  });
});

describe('a data folder restored from before', () => {
  it('its dealing: the epoch is dead though its number is all that is known of it', async () => {
    const consortium = openConsortium();
    consortium.openEpoch();
    const backup = backUp(consortium.member('a'));
    await consortium.ceremony();
    const a = restore(consortium, 'a', backup);
    await recallOwnActs(a);
    const { run } = consortium;
    expect(a.journal.ownActs.whyDead(run, 1)).toMatch(/\(dealing\)/);
    const { plan, ordinal, roster } = { ...a.journal.runs.get(run)!, ...a.journal.runs.epoch(run, 1)! };
    expect(await codeOf(offerSealingKey(a, { run, ordinal, plan, epoch: 1 }))).toBe('epoch-dead');
    expect(await codeOf(approveRoster(a, { run, epoch: 1, roster }))).toBe('epoch-dead');
    expect(await codeOf(dealKey(a, { run, epoch: 1 }))).toBe('epoch-dead');
  });

  it('its approval: the run is dead, and its ordinal stays used up', async () => {
    const consortium = openConsortium();
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
    expect(await codeOf(approvePlan(a, { run, ordinal: 1, plan: digest, sites }))).toBe('epoch-dead');
    expect(a.journal.runs.largestApprovedOrdinal(digest, 'another')).toBe(1);
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
    expect(await codeOf(tellDeadEpochs(a))).toBe('unreachable');
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
