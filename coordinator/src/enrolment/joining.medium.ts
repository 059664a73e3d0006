import 'reflect-metadata';
import { type Invite, inviteText, parseInvite } from '@coferment/consortium';
import { generateIdentity } from '@coferment/crypto';
import { ObjectPurpose } from '@coferment/proto';
import * as x509 from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ask } from '../cli/operator.client.js';
import { startCoordinator } from '../coordinator.start.js';
import { Database } from '../persistence/database.js';
import { Presence } from '../rounds/presence.js';
import { CertifiedSite } from '../testing/certified-site.fixture.js';
import { TestCoordinator } from '../testing/coordinator.fixture.js';
import { ScriptedSite } from '../testing/scripted-site.fixture.js';
import { SiteCalls } from '../testing/site-calls.fixture.js';

const coordinator = new TestCoordinator();
beforeAll(() => coordinator.start());
afterAll(() => coordinator.remove());

/** One call of every service that needs a certificate. */
function everyService(calls: SiteCalls): (() => Promise<unknown>)[] {
  const statement = { payload: Buffer.from('{}'), keyid: 'a'.repeat(64), signature: Buffer.alloc(64) };
  return [
    () => calls.poll([], '', 0),
    () => ask(calls.statements.submitStatement.bind(calls.statements), { statement }),
    () => ask(calls.nonces.submitNonce.bind(calls.nonces), { nonce: statement }),
    () => ask(calls.shares.submitShare.bind(calls.shares), { share: statement }),
    () => calls.uploadState('a'.repeat(64)),
    () =>
      calls.send(
        { digest: 'a'.repeat(64), size: 1, offset: 0, purpose: ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, run: 'r1' },
        new Uint8Array(1),
      ),
    () => calls.download('a'.repeat(64)),
    () => ask(calls.operator.getStatus.bind(calls.operator), {}),
  ];
}

describe('joining', () => {
  it('works once for one identity, and again for the same one', async () => {
    const invite = await coordinator.invite('alpha');
    const identity = generateIdentity();
    const first = await ScriptedSite.join(invite, identity);
    const again = await ScriptedSite.join(invite, identity);
    await expect(ScriptedSite.join(invite)).rejects.toMatchObject({ code: 'invite-used' });
    await expect(again.calls.poll([], '', 0)).resolves.toMatchObject({ instructions: [] });
    // A new certificate takes the place of the one before, which stays good for a short while, as after a renewal.
    await expect(first.calls.poll([], '', 0)).resolves.toMatchObject({ instructions: [] });
    const { now } = Date;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 601_000);
    await expect(first.calls.poll([], '', 0)).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(again.calls.poll([], '', 0)).resolves.toMatchObject({ instructions: [] });
    vi.restoreAllMocks();
    first.calls.close();
    again.calls.close();
  });

  it('that was recorded displaces nothing once the member has renewed', async () => {
    const invite = await coordinator.invite('lambda');
    const lambda = await CertifiedSite.join(invite);
    await lambda.renew();
    await expect(ScriptedSite.join(invite, lambda.identity)).rejects.toMatchObject({ code: 'invite-used' });
    await expect(lambda.calls().poll([], '', 0)).resolves.toMatchObject({ instructions: [] });
    lambda.close();
  });

  it('and a renewal have nothing signed for somebody without an invite or the identity key', async () => {
    const invite = await coordinator.invite('mu');
    const mu = await CertifiedSite.join(invite);
    const issue = vi.spyOn(x509.X509CertificateGenerator, 'create');
    const { inviteId, ...rest } = JSON.parse(invite) as { inviteId: string; secret: string; checksum: string };
    const { checksum: _, ...guessed } = { ...rest, inviteId, secret: 'f'.repeat(64) };
    const stolen = inviteText(guessed as Invite);
    await expect(ScriptedSite.join(stolen)).rejects.toMatchObject({ code: 'invite-unknown' });
    const { call } = await mu.renewal();
    for (const site of ['mu', 'nobody']) {
      const forged = mu.send({ ...call, site, possession: Buffer.alloc(64) });
      await expect(forged).rejects.toMatchObject({ code: 'bad-signature' });
    }
    expect(issue).not.toHaveBeenCalled();
    vi.restoreAllMocks();
    mu.close();
  });

  it('a stranger cannot find out by a renewal who is, was or never was a member', async () => {
    const told = new Set<string>();
    const { operator } = coordinator.operator;
    const nu = await CertifiedSite.join(await coordinator.invite('nu'));
    await coordinator.invite('xi');
    await ask(operator.revokeSite.bind(operator), { site: 'nu', reason: 'test' });
    const { call } = await nu.renewal();
    for (const site of ['alpha', 'nu', 'xi', 'nobody']) {
      const refused = await nu.send({ ...call, site, possession: Buffer.alloc(64) }).catch((error: Error & { code: string }) => error);
      told.add(`${(refused as { code: string }).code}: ${(refused as Error).message.replace(`"${site}"`, 'the name')}`);
    }
    expect([...told]).toHaveLength(1);
    nu.close();
  });

  it('is refused with a wrong secret, a corrupt file or an invite that has expired', async () => {
    const invite = await coordinator.invite('beta');
    const other = JSON.parse(await coordinator.invite('beta')) as { secret: string };
    const mixed = JSON.stringify({ ...(JSON.parse(invite) as object), secret: other.secret });
    await expect(ScriptedSite.join(mixed)).rejects.toMatchObject({ code: 'invalid-invite' });
    const { inviteId } = parseInvite(invite);
    await coordinator.running.context
      .get(Database)
      .transaction((manager) => manager.query('UPDATE invite SET expires_ms = 1 WHERE id = $1', [inviteId]));
    await expect(ScriptedSite.join(invite)).rejects.toMatchObject({ code: 'invite-expired' });
    await coordinator.running.context
      .get(Database)
      .transaction((manager) => manager.query('UPDATE invite SET secret_hash = $1', ['f'.repeat(64)]));
    await expect(ScriptedSite.join(invite)).rejects.toMatchObject({ code: 'invite-unknown' });
  });

  it('gives nobody the place of a site that has joined, and a revoked site no way back by the invites from before', async () => {
    const [first, second, third] = [
      await coordinator.invite('theta'),
      await coordinator.invite('theta'),
      await coordinator.invite('theta'),
    ];
    const identity = generateIdentity();
    const theta = await ScriptedSite.join(first!, identity);
    await expect(ScriptedSite.join(second!)).rejects.toMatchObject({ code: 'invite-used' });
    await expect(theta.calls.poll([], '', 0)).resolves.toMatchObject({ instructions: [] });
    const { operator } = coordinator.operator;
    await ask(operator.revokeSite.bind(operator), { site: 'theta', reason: 'test' });
    await expect(ScriptedSite.join(first!, identity)).rejects.toMatchObject({ code: 'invite-used' });
    await expect(ScriptedSite.join(second!, identity)).rejects.toMatchObject({ code: 'invite-expired' });
    const fresh = await coordinator.invite('theta');
    await expect(ScriptedSite.join(first!, identity)).rejects.toMatchObject({ code: 'invite-used' });
    await expect(ScriptedSite.join(third!)).rejects.toMatchObject({ code: 'invite-expired' });
    // Whoever has the keys of a membership that was ended gets no other one with them, under this name or another.
    await expect(ScriptedSite.join(fresh, identity)).rejects.toMatchObject({ code: 'identity-taken' });
    await expect(ScriptedSite.join(await coordinator.invite('iota'), identity)).rejects.toMatchObject({ code: 'identity-taken' });
    const back = await ScriptedSite.join(fresh);
    for (const { calls } of [theta, back]) calls.close();
  });

  it('is refused for an identity key that another site has', async () => {
    const identity = generateIdentity();
    const gamma = await ScriptedSite.join(await coordinator.invite('gamma'), identity);
    await expect(ScriptedSite.join(await coordinator.invite('delta'), identity)).rejects.toMatchObject({ code: 'identity-taken' });
    gamma.calls.close();
  });
});

describe('every service', () => {
  it('refuses a caller without a certificate', async () => {
    const calls = new SiteCalls(parseInvite(await coordinator.invite('epsilon')));
    for (const call of everyService(calls)) await expect(call()).rejects.toMatchObject({ code: 'unauthenticated' });
    calls.close();
  });

  it('refuses a site from the moment it is revoked, also while its poll is held', async () => {
    const [zeta] = (await coordinator.join('zeta')) as [ScriptedSite];
    const { owed } = await zeta.calls.poll([], '', 0);
    const held = zeta.calls.poll([], owed, 15_000);
    const refused = expect(held).rejects.toMatchObject({ code: 'site-revoked' });
    const { operator } = coordinator.operator;
    await vi.waitFor(() => expect(coordinator.running.context.get(Presence).of(zeta.member).held).toBe(1));
    await ask(operator.revokeSite.bind(operator), { site: 'zeta', reason: 'test' });
    await refused;
    for (const call of everyService(zeta.calls)) await expect(call()).rejects.toMatchObject({ code: 'site-revoked' });
    zeta.calls.close();
  });

  it('of the operator refuses a site, and those of sites refuse the operator', async () => {
    const [eta] = (await coordinator.join('eta')) as [ScriptedSite];
    await expect(ask(eta.calls.operator.getStatus.bind(eta.calls.operator), {})).rejects.toMatchObject({ code: 'forbidden' });
    eta.calls.close();
  });
});

describe('a second coordinator on the same folder', () => {
  it('is refused and told who holds it', async () => {
    const second = startCoordinator({ folder: coordinator.folder, passphrase: 'a passphrase for tests' });
    await expect(second).rejects.toMatchObject({ code: 'folder-locked', message: expect.stringContaining(`process ${process.pid}`) });
  });
});
