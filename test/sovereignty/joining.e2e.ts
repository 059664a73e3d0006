/*
 * Joining with a real coordinator and the agent's own join, over real TLS: what lets nobody in, and what an operator sees and decides.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Invite,
  certificateFingerprint,
  identityWords,
  inviteLine,
  inviteText,
  parseInvite,
  WIRE_VERSION,
} from '@coferment/consortium';
import { generateIdentity } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { requestCertificate } from '../../client-agent/src/enrolment/certificate.request.js';
import { EnrolmentClient } from '../../client-agent/src/enrolment/enrolment.client.js';
import { joinConsortium } from '../../client-agent/src/enrolment/join.flow.js';
import { proveRenewal } from '../../client-agent/src/enrolment/possession.proof.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { ask } from '../../coordinator/src/cli/operator.client.js';
import { readLedger, statementsOf } from '../../coordinator/src/cli/ledger.reader.js';
import { readFacts } from '../../coordinator/src/identity/consortium.facts.js';
import { found } from '../../coordinator/src/identity/consortium.identity.js';
import { Database } from '../../coordinator/src/persistence/database.js';
import { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import { joinCall } from '../../coordinator/src/testing/site-calls.fixture.js';
import { Member, Operator, PASSPHRASE } from './member.fixture.js';
import { coferment } from './operator-commands.fixture.js';

const coordinator = new TestCoordinator();
const operator = new Operator(coordinator);

beforeAll(() => coordinator.start());
afterAll(() => coordinator.remove());

/** An invite of another consortium of the same name, with an authority and keys of its own. */
async function foreignInvite(ours: Invite): Promise<string> {
  const folder = temporaryFolder('foreign');
  await found(folder, PASSPHRASE, { consortium: 'scripted', origin: 'ledger.localhost/scripted' });
  const { authority, operatorKey, logVkey } = readFacts(folder);
  const [inviteId, secret] = [randomBytes(8).toString('hex'), randomBytes(32).toString('hex')];
  return inviteText({
    ...ours,
    caCertificate: authority,
    caFingerprint: certificateFingerprint(authority)!,
    operatorKey,
    logVkey,
    inviteId,
    secret,
  });
}

/** Changed on purpose, with a checksum that fits. */
const changed = (invite: string, change: Partial<Invite>): string => inviteText({ ...parseInvite(invite), ...change });

async function statements() {
  return statementsOf(await readLedger(coordinator.operator));
}

const query = (text: string, values: unknown[]) =>
  coordinator.running.context.get(Database).transaction((manager) => manager.query(text, values));

describe('malformed fields of a join', () => {
  const invited = (async () => parseInvite(await operator.invite('malformed'))) satisfies () => Promise<Invite>;
  it.each([
    ['no wire version', { wireVersion: '' }, 'malformed'],
    ['no name', { site: '' }, 'malformed'],
    ['a name without end', { site: 'a'.repeat(10_000) }, 'too-large'],
    ['no invite', { inviteId: '' }, 'malformed'],
    ['a secret of one byte', { inviteSecret: Buffer.alloc(1) }, 'malformed'],
    ['a key of 31 bytes', { identityKey: Buffer.alloc(31) }, 'malformed'],
    ['no proof', { possession: Buffer.alloc(0) }, 'malformed'],
    ['a proof of nothing', {}, 'bad-signature'],
  ])('are refused: %s', async (_, change, code) => {
    const invite = await invited();
    const request = {
      wireVersion: '1.0',
      agentTimeMs: Date.now(),
      site: invite.site,
      inviteId: invite.inviteId,
      inviteSecret: Buffer.alloc(32),
      identityKey: Buffer.from(generateIdentity().publicKey),
      certificateRequest: Buffer.from('none'),
      possession: Buffer.alloc(64),
    };
    await expect(joinCall(invite, { ...request, ...change })).rejects.toMatchObject({ code });
    expect(await operator.member('malformed')).toMatchObject({ state: 'invited', identityKey: '' });
  });

  it.each([
    ['an empty name', { site: '' }, 'malformed'],
    ['a name that is none', { site: 'Alpha Ltd' }, 'malformed'],
    ['a role that is none', { role: 'king' }, 'malformed'],
    ['an address that is none', { address: 'coordinator' }, 'malformed'],
    ['more hours than a month has', { validHours: 10_000 }, 'malformed'],
  ])('of an invite are refused: %s', async (_, change, code) => {
    const { operator: client } = coordinator.operator;
    const request = { site: 'kappa', validHours: 1, address: '', preAdmitted: false, role: 'site', ...change };
    await expect(ask(client.createInvite.bind(client), request)).rejects.toMatchObject({ code });
    expect(await operator.member('kappa')).toBeUndefined();
  });

  it('of an admission are refused', async () => {
    await expect(operator.admit('nobody', 'f'.repeat(64))).rejects.toMatchObject({ code: 'unknown-site' });
    await expect(operator.admit('', 'f'.repeat(64))).rejects.toMatchObject({ code: 'malformed' });
    await expect(operator.admit('malformed', 'F')).rejects.toMatchObject({ code: 'malformed' });
    await expect(operator.admit('malformed', 'f'.repeat(64))).rejects.toMatchObject({ code: 'not-pending' });
    await expect(operator.refuse('malformed')).rejects.toMatchObject({ code: 'not-pending' });
  });
});

describe('an invite that lets nobody in', () => {
  it('is one that has expired', async () => {
    const invite = await operator.invite('expired', { preAdmitted: true });
    await query('UPDATE invite SET expires_ms = 1 WHERE id = $1', [parseInvite(invite).inviteId]);
    await expect(new Member().join(invite)).rejects.toMatchObject({ refusal: 'invite-expired' });
  });

  it('is one that was used, whether its user was admitted or waits', async () => {
    for (const preAdmitted of [true, false]) {
      const invite = await operator.invite(`used-${preAdmitted}`, { preAdmitted });
      await new Member().join(invite).catch(() => undefined);
      await expect(new Member().join(invite)).rejects.toMatchObject({ refusal: 'invite-used' });
    }
  });

  it('is one that was altered on the way, as a file or as a line', async () => {
    const invite = await operator.invite('altered', { preAdmitted: true });
    const line = inviteLine(parseInvite(invite));
    const altered = [
      invite.replace('"site": "altered"', '"site": "altar"'),
      `${line.slice(0, 90)}${line[90] === 'x' ? 'y' : 'x'}${line.slice(91)}`,
    ];
    for (const text of altered) await expect(new Member().join(text)).rejects.toMatchObject({ code: 'invalid-invite' });
    expect(await operator.member('altered')).toMatchObject({ state: 'invited' });
  });

  it('is one with another secret, name or role under a checksum that fits', async () => {
    const invite = await operator.invite('forged', { preAdmitted: true });
    await operator.invite('forged-too', { preAdmitted: true });
    for (const change of [{ secret: 'e'.repeat(64) }, { site: 'forged-too' }, { inviteId: 'e'.repeat(16) }])
      await expect(new Member().join(changed(invite, change))).rejects.toMatchObject({ refusal: 'invite-unknown' });
    const auditor = new Member().join(changed(invite, { role: 'auditor' }));
    await expect(auditor).rejects.toMatchObject({ code: 'invalid-statement' });
  });

  it('is one of another consortium, even of one that has the same name', async () => {
    const ours = parseInvite(await operator.invite('alpha', { preAdmitted: true }));
    const { caCertificate, caFingerprint } = ours;
    const theirs = await foreignInvite(ours);
    // The foreign authority did not sign for this coordinator; with our authority the invite is not known here.
    await expect(new Member().join(theirs)).rejects.toMatchObject({ code: 'unreachable' });
    const mixed = changed(theirs, { caCertificate, caFingerprint });
    await expect(new Member().join(mixed)).rejects.toMatchObject({ refusal: 'invite-unknown' });
    const renamed = changed(inviteText(ours), { consortium: 'other' });
    await expect(new Member().join(renamed)).rejects.toMatchObject({ refusal: 'bad-signature' });
    expect(await operator.member('alpha')).toMatchObject({ state: 'invited' });
  });
});

describe('a site that joins', () => {
  it('waits until the operator admits the key whose words it shows, and goes on with the same keys', async () => {
    const member = new Member();
    await expect(member.join(await operator.invite('waiting'))).rejects.toMatchObject({
      code: 'not-admitted',
      message: expect.stringContaining(member.words),
    });
    const shown = (await operator.member('waiting'))!;
    expect(shown).toMatchObject({ state: 'pending', identityKey: member.identityKey, certificateExpiresMs: 0, inviteExpiresMs: 0 });
    expect(identityWords('scripted', 'waiting', shown.identityKey).join(' ')).toBe(member.words);
    // Nothing of it is in the ledger.
    expect((await statements()).filter(({ predicate }) => 'site' in predicate && predicate.site === 'waiting')).toEqual([]);

    await expect(operator.admit('waiting', 'f'.repeat(64))).rejects.toMatchObject({ code: 'other-identity' });
    expect(await operator.member('waiting')).toMatchObject({ state: 'pending' });
    await operator.admit('waiting', shown.identityKey);
    await operator.admit('waiting', shown.identityKey);
    // Admitted is not enrolled: it fetches its first certificate with its invite, and renews none before.
    await expect(renew(member, 'waiting')).rejects.toMatchObject({ refusal: 'unauthenticated' });
    expect((await statements()).filter(({ predicate }) => 'site' in predicate && predicate.site === 'waiting')).toEqual([]);

    await member.join();
    expect(member.membership).toMatchObject({ site: 'waiting', role: 'site', identityKey: shown.identityKey });
    const calls = member.calls();
    await expect(calls.poll([], '', 0)).resolves.toMatchObject({ instructions: [] });
    calls.close();
    const enrolled = (await statements()).filter(({ name, predicate }) => name === 'site-enrolled' && predicate.site === 'waiting');
    expect(enrolled.map(({ predicate }) => predicate)).toMatchObject([{ identityKey: shown.identityKey }]);
    // What it went on with is gone.
    expect(member.store.read('pending-invite')).toBeUndefined();
    await expect(member.join()).rejects.toMatchObject({ code: 'already-joined' });
  });

  it('is in as soon as it is admitted while it waits', async () => {
    const member = new Member();
    const joining = member.join(await operator.invite('patient'), 60_000);
    await vi.waitFor(async () => expect(await operator.member('patient')).toMatchObject({ state: 'pending' }), { timeout: 30_000 });
    await operator.admit('patient', (await operator.member('patient'))!.identityKey);
    await joining;
    expect(member.waited).toBe(1);
    expect(await operator.member('patient')).toMatchObject({ state: 'enrolled', role: 'site' });
  });

  it('gets no further when it is refused, and in by another invite', async () => {
    const member = new Member();
    await expect(member.join(await operator.invite('refused'))).rejects.toMatchObject({ code: 'not-admitted' });
    await expect(operator.invite('refused')).rejects.toMatchObject({ code: 'identity-taken' });
    await operator.refuse('refused');
    await expect(member.join()).rejects.toMatchObject({
      refusal: 'site-revoked',
      message: expect.stringContaining('refused this identity key'),
    });
    await expect(operator.admit('refused', member.identityKey)).rejects.toMatchObject({ code: 'not-pending' });
    expect((await statements()).some(({ name }) => name === 'site-revoked')).toBe(false);
    await member.join(await operator.invite('refused', { preAdmitted: true }));
    expect(await operator.member('refused')).toMatchObject({ state: 'enrolled', identityKey: member.identityKey });
  });

  it('is in at once by an invite that admits by itself', async () => {
    const member = await new Member().join(await operator.invite('trusted', { preAdmitted: true }));
    expect(member.waited).toBe(0);
    expect(await operator.member('trusted')).toMatchObject({ state: 'enrolled' });
  });

  it('may bring its invite as a line', async () => {
    const folder = temporaryFolder('line');
    const file = join(folder, 'line.txt');
    writeFileSync(file, `${inviteLine(parseInvite(await operator.invite('lined', { preAdmitted: true })))}\n`);
    const joined = await joinConsortium({ folder: join(folder, 'data'), inviteFile: file, passphrase: PASSPHRASE });
    expect(joined.site).toBe('lined');
  });

  it('makes every key itself: the coordinator sees public halves only', async () => {
    const member = await new Member().join(await operator.invite('own-keys', { preAdmitted: true }));
    const [row] = (await query('SELECT * FROM site WHERE site = $1', ['own-keys'])) as [object];
    const secret = Buffer.from(member.identity.privateKey).toString('hex');
    expect(JSON.stringify(row)).toContain(member.identityKey);
    expect(JSON.stringify(row)).not.toContain(secret);
  });
});

describe("the operator's commands", () => {
  const told = (...words: string[]) => coferment(coordinator, ...words);

  it('refuse an invite that would go nowhere', async () => {
    const said = await told('invite', 'nowhere');
    expect(said).toMatchObject({ code: 1, err: expect.stringContaining('--out FILE, --line') });
    expect(await operator.member('nowhere')).toBeUndefined();
  });

  it('take a site from its invite as a line to its admission by words', async () => {
    const invited = await told('invite', 'spoken', '--line', '--json');
    const { line, preAdmitted, caFingerprint } = JSON.parse(invited.out) as { line: string; preAdmitted: boolean; caFingerprint: string };
    expect(preAdmitted).toBe(false);
    const shown = await told('invite', 'spoken', '--out', join(temporaryFolder('out'), 'invite.json'));
    expect(shown.out.replaceAll(' ', '').toLowerCase()).toContain(caFingerprint);
    // The secret is printed where it was asked for, and nowhere else.
    expect(shown.out).not.toMatch(/coferment-invite:/);

    const member = new Member();
    expect((await told('sites', 'admit', 'spoken')).err).toMatch(/nobody has brought its invite/);
    await expect(member.join(line)).rejects.toMatchObject({ code: 'not-admitted' });
    const listed = await told('sites', 'list');
    expect(listed.out).toMatch(new RegExp(`spoken +site +pending[^]*${member.words}[^]*sites admit`));

    for (const words of [[], ['--words', member.words.split(' ').toReversed().join(' ')], ['--words', '']]) {
      expect(await told('sites', 'admit', 'spoken', ...words, '--json')).toMatchObject({
        code: 1,
        out: expect.stringContaining('other-identity'),
      });
      expect(await operator.member('spoken')).toMatchObject({ state: 'pending' });
    }
    expect(await told('sites', 'admit', 'spoken', '--words', member.words.toUpperCase())).toMatchObject({ code: 0 });
    await member.join();
    const { members } = JSON.parse((await told('sites', 'list', '--json')).out) as { members: { site: string }[] };
    expect(members.find(({ site }) => site === 'spoken')).toMatchObject({ state: 'enrolled', role: 'site', words: member.words });
  });

  it('refuse and remove by name, and name what is not there', async () => {
    await expect(new Member().join(await operator.invite('unwanted'))).rejects.toMatchObject({ code: 'not-admitted' });
    expect(await told('sites', 'refuse', 'unwanted')).toMatchObject({ code: 0 });
    await operator.invite('unneeded');
    expect(await told('sites', 'remove', 'unneeded')).toMatchObject({ code: 0 });
    for (const command of [['sites', 'remove'], ['sites', 'refuse'], ['sites', 'admit'], ['revoke']])
      expect(await told(...command, 'nobody-at-all')).toMatchObject({ code: 1, err: expect.stringContaining('no site "nobody-at-all"') });
  });
});

/** A renewal as an agent without a certificate could send it. */
async function renew(member: Member, site: string): Promise<unknown> {
  const { consortium, coordinator: address, serverName, caCertificate } = parseInvite(await operator.invite(`${site}-address`));
  const { request } = await requestCertificate(site);
  const agentTimeMs = Date.now();
  const possession = Buffer.from(proveRenewal(member.identity, { consortium, site, agentTimeMs, certificateRequest: request }));
  const client = new EnrolmentClient({ address, serverName, caCertificate });
  const call = { wireVersion: WIRE_VERSION, agentTimeMs, site, certificateRequest: Buffer.from(request), possession };
  return client.renew(call).finally(() => client.close());
}
