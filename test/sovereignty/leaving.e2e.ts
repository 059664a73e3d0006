/*
 * A site ends its membership, with the agent's own command at a real coordinator: refused while runs count on it, cut off at every step, done twice, and looked
 * at afterwards from both sides.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { signStatement } from '@coferment/consortium';
import { generateIdentity, sha256Hex } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyFolder } from '../../client-agent/src/testing/folder.copy.fixture.js';
import { type Departure, readDeparture, writeDeparture } from '../../client-agent/src/enrolment/departure.file.js';
import { leaveConsortium } from '../../client-agent/src/enrolment/leave.flow.js';
import { renewCertificate } from '../../client-agent/src/enrolment/renewal.flow.js';
import { Journal } from '../../client-agent/src/journal/journal.js';
import { readRecord } from '../../client-agent/src/journal/record.chain.js';
import { EpochSecrets } from '../../client-agent/src/keys/epoch.secrets.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { ask } from '../../coordinator/src/cli/operator.client.js';
import { readLedger, statementsOf } from '../../coordinator/src/cli/ledger.reader.js';
import { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import { SiteCalls } from '../../coordinator/src/testing/site-calls.fixture.js';
import { readTlsCredential } from '../../client-agent/src/keys/site.identity.js';
import { AGENT, runCommand } from '../e2e/command.runner.js';
import { Member, Operator, PASSPHRASE } from './member.fixture.js';

const coordinator = new TestCoordinator();
const operator = new Operator(coordinator);
const PLAN = 'a'.repeat(64);
const RUN = `r1-${'a'.repeat(16)}`;

beforeAll(() => coordinator.start());
afterAll(() => coordinator.remove());

const leave = (member: Member, abandonRuns = false, reason = 'sold') =>
  leaveConsortium({ folder: member.folder, passphrase: PASSPHRASE, reason, abandonRuns });

const leavings = async (site: string) =>
  statementsOf(await readLedger(coordinator.operator)).filter(({ name, predicate }) => name === 'site-left' && predicate.site === site);

/** A member in whose folder lies what runs leave behind: keys of an epoch, a vector, a model, an object it made and one it approved. */
async function worked(site: string): Promise<Member> {
  const member = await new Member().join(await operator.invite(site, { preAdmitted: true }));
  const secrets = new EpochSecrets(member.store, RUN, 1);
  secrets.drawSealingKey();
  secrets.drawNoiseKey();
  const journal = openJournal(member);
  journal.runs.announce(RUN, PLAN, 1, ['alpha', site]);
  journal.runs.setState(RUN, 'approved');
  const vector = {
    coefficients: BigUint64Array.of(1n, 2n),
    samples: 3,
    batches: 2,
    dataReport: '7d'.repeat(32),
    salt: new Uint8Array(32),
    backend: 'cpu' as const,
    saturated: 0,
  };
  journal.rounds.keepVector(PLAN, 'update', PLAN, vector);
  journal.close();
  return member;
}

const openJournal = (member: Member) => Journal.open(join(member.folder, 'journal.sqlite'), { vault: member.store });

/** What is left of the secrets: names of records and of vectors that still open. */
function secretsOf(member: Member): string[] {
  const records = [`epochs/${RUN}/1/sealing`, `epochs/${RUN}/1/noise`, 'training-seed', 'tls', 'identity'].filter(
    (name) => member.store.read(name) !== undefined,
  );
  const journal = openJournal(member);
  const vector = journal.rounds.vector(PLAN, 'update', PLAN);
  journal.close();
  return [...records, ...(vector === undefined ? [] : ['vector'])];
}

const EVERYTHING = [`epochs/${RUN}/1/sealing`, `epochs/${RUN}/1/noise`, 'training-seed', 'tls', 'identity', 'vector'];

describe('a site-left that nobody should believe', () => {
  it('is refused: malformed, of another signer, site or consortium', async () => {
    const alpha = await new Member().join(await operator.invite('alpha', { preAdmitted: true }));
    const calls = alpha.calls();
    const { identity } = alpha;
    const predicate = { consortium: 'scripted', site: 'alpha', reason: '' };
    const { statements } = calls;
    await expect(ask(statements.submitStatement.bind(statements), { statement: undefined })).rejects.toMatchObject({ code: 'malformed' });
    const empty = { payload: Buffer.from('{}'), keyid: 'a'.repeat(64), signature: Buffer.alloc(64) };
    await expect(ask(statements.submitStatement.bind(statements), { statement: empty })).rejects.toMatchObject({ code: 'malformed' });
    const bySomebody = signStatement('site-left', predicate, generateIdentity());
    await expect(calls.submit(bySomebody, 'site-left')).rejects.toMatchObject({ code: 'bad-signature' });
    const ofAnother = signStatement('site-left', { ...predicate, site: 'beta' }, identity);
    await expect(calls.submit(ofAnother, 'site-left')).rejects.toMatchObject({ code: 'forbidden' });
    const elsewhere = signStatement('site-left', { ...predicate, consortium: 'other' }, identity);
    await expect(calls.submit(elsewhere, 'site-left')).rejects.toMatchObject({ code: 'other-consortium' });
    calls.close();
    expect(await operator.member('alpha')).toMatchObject({ state: 'enrolled' });
    expect(await leavings('alpha')).toEqual([]);
  });
});

describe('leaving', () => {
  it('waits for runs that count on the site, names them, and changes nothing; the site may leave all the same', async () => {
    const members = [await new Member().join(await operator.invite('beta', { preAdmitted: true })), await worked('gamma')];
    const run = await coordinator.launch();
    const gamma = members[1]!;
    await expect(leave(gamma)).rejects.toMatchObject({ code: 'in-runs', message: expect.stringContaining(run) });
    expect(secretsOf(gamma)).toEqual(EVERYTHING);
    expect(readDeparture(gamma.folder)).toBeUndefined();
    expect(await operator.member('gamma')).toMatchObject({ state: 'enrolled' });
    await leave(gamma, true);
    expect(await operator.member('gamma')).toMatchObject({ state: 'left' });
    expect(await operator.member('beta')).toMatchObject({ state: 'enrolled' });
    const { operator: client } = coordinator.operator;
    await ask(client.abortRun.bind(client), { run, reason: 'test' });
  });

  it('is told, written into the ledger, and leaves exactly what it says', async () => {
    const member = await worked('delta');
    const { identityKey } = member;
    const { key, certificate } = readTlsCredential(member.store);
    const file = join(temporaryFolder('passphrase'), 'passphrase');
    writeFileSync(file, `${PASSPHRASE}\n`, { mode: 0o600 });
    const flags = ['--data', member.folder, '--passphrase-file', file, '--json'];
    const left = await runCommand(AGENT, ['leave', '--reason', 'sold', ...flags]);
    expect(left).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(left.stdout)).toMatchObject({ site: 'delta', consortium: 'scripted' });

    expect(await operator.member('delta')).toMatchObject({ state: 'left' });
    expect((await leavings('delta')).map(({ predicate }) => predicate)).toEqual([
      { consortium: 'scripted', site: 'delta', reason: 'sold' },
    ]);
    expect(secretsOf(member)).toEqual(['identity']);
    expect(existsSync(join(member.folder, 'journal.sqlite'))).toBe(true);
    const journal = openJournal(member);
    expect(journal.runs.get(RUN)).toMatchObject({ state: 'dead' });
    expect(journal.activity.sentTotals()).toMatchObject(expect.arrayContaining([expect.objectContaining({ name: 'site-left' })]));
    expect(journal.record.latest('membership-left')).toMatchObject({ reason: 'sold' });
    journal.close();

    // The certificate is good for nothing, even for somebody who has kept a copy; nor does the identity key get another one.
    const calls = new SiteCalls(member.membership, { key, certificate });
    await expect(calls.poll([], '', 0)).rejects.toMatchObject({ code: 'site-left' });
    calls.close();
    const backup = temporaryFolder('backup');
    copyFolder(member.folder, backup);
    member.store.write('training-seed', new Uint8Array(32));
    await expect(renewCertificate(backup, member.membership, member.store)).rejects.toMatchObject({ refusal: 'site-left' });
    member.store.eraseRecord('training-seed');

    const served = await runCommand(AGENT, ['serve', ...flags, '--mapping', 'none', '--records', 'none']);
    expect(served.code).toBe(1);
    expect(served.stderr).toMatch(/"delta" left scripted at 20.*another --data folder/);
    expect(JSON.parse(readFileSync(join(member.folder, 'member.json'), 'utf8'))).toMatchObject({ identityKey });
  });

  it('twice is leaving once', async () => {
    const member = await worked('epsilon');
    const first = await leave(member);
    expect(await leave(member, false, 'another reason')).toEqual(first);
    const journal = openJournal(member);
    const left = readRecord(journal.record.lines()).entries.filter(({ kind }) => kind === 'membership-left');
    journal.close();
    expect(left).toHaveLength(1);
    expect(await leavings('epsilon')).toHaveLength(1);
    await expect(operator.revoke('epsilon')).rejects.toMatchObject({ code: 'not-pending' });
    // Who comes back is somebody new.
    const back = await new Member().join(await operator.invite('epsilon', { preAdmitted: true }));
    expect(back.identityKey).not.toBe(member.membership.identityKey);
    expect(await operator.member('epsilon')).toMatchObject({ state: 'enrolled', identityKey: back.identityKey });
  });

  it('that was cut off at any point goes on from there', async () => {
    const member = await worked('zeta');
    const copies = [1, 2, 3, 4].map(() => {
      const copy = Object.assign(new Member(), { membership: member.membership });
      copyFolder(member.folder, copy.folder);
      return copy;
    });
    const [unheard, unanswered, told, half] = copies as [Member, Member, Member, Member];
    const statement = signStatement('site-left', { consortium: 'scripted', site: 'zeta', reason: 'sold' }, member.identity);
    const asked: Departure = {
      schema: 1,
      site: 'zeta',
      consortium: 'scripted',
      decidedAt: new Date().toISOString(),
      state: 'asked',
      statement,
    };

    // Signed, and the power failed before it was sent: this very act is sent.
    writeDeparture(unheard.folder, asked);
    await leave(unheard);
    expect((await leavings('zeta')).map(({ digest }) => digest)).toEqual([sha256Hex(Buffer.from(statement.payload, 'base64'))]);
    // Sent, and the answer was lost. Told, and nothing erased. Told, and half erased.
    writeDeparture(unanswered.folder, asked);
    writeDeparture(told.folder, { ...asked, state: 'told' });
    writeDeparture(half.folder, { ...asked, state: 'told' });
    half.store.eraseRecord('tls');
    half.store.eraseRecord(`epochs/${RUN}/1/sealing`);
    for (const copy of copies) {
      await leave(copy);
      expect(secretsOf(copy)).toEqual(['identity']);
      expect(readDeparture(copy.folder)).toEqual({ ...asked, state: 'done' });
    }
    expect(await leavings('zeta')).toHaveLength(1);
  });

  it('cleans up where the operator was first', async () => {
    const member = await worked('eta');
    await operator.revoke('eta', 'contract ended');
    await leave(member);
    expect(secretsOf(member)).toEqual(['identity']);
    expect(await leavings('eta')).toEqual([]);
    expect(await operator.member('eta')).toMatchObject({ state: 'revoked' });
  });

  it('cleans up where the operator was first and somebody else has the name since', async () => {
    const member = await worked('theta');
    const unheard = Object.assign(new Member(), { membership: member.membership });
    copyFolder(member.folder, unheard.folder);
    await operator.revoke('theta', 'keys lost');
    const invite = await operator.invite('theta', { preAdmitted: true });
    await leave(member);
    const back = await new Member().join(invite);
    await leave(unheard);
    for (const { folder, store } of [member, unheard]) {
      expect(store.read('identity')).toBeDefined();
      expect(store.read('training-seed')).toBeUndefined();
      expect(readDeparture(folder)).toMatchObject({ state: 'done', site: 'theta' });
    }
    expect(await leavings('theta')).toEqual([]);
    expect(await operator.member('theta')).toMatchObject({ state: 'enrolled', identityKey: back.identityKey });
  });

  it('is nothing that an auditor does', async () => {
    const auditor = await new Member().join(await operator.invite('eve', { preAdmitted: true, role: 'auditor' }));
    await expect(leave(auditor)).rejects.toMatchObject({ code: 'not-a-site' });
  });
});
