/*
 * A site has lost its keys, or the passphrase to them (docs/backup.md): revoke, invite, join into a new folder. Real coordinator, real agent code.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WIRE_VERSION, signStatement } from '@coferment/consortium';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CoordinatorRefusal } from '../../client-agent/src/connection/coordinator.errors.js';
import { WireClient } from '../../client-agent/src/connection/wire.client.js';
import { joinConsortium } from '../../client-agent/src/enrolment/join.flow.js';
import { type Membership, readMembership } from '../../client-agent/src/enrolment/membership.file.js';
import { endpointOf, renewCertificate } from '../../client-agent/src/enrolment/renewal.flow.js';
import { KeyStore } from '../../client-agent/src/keys/key.store.js';
import { openSiteIdentity, readTlsCredential } from '../../client-agent/src/keys/site.identity.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { ask } from '../../coordinator/src/cli/operator.client.js';
import { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import type { ScriptedSite } from '../../coordinator/src/testing/scripted-site.fixture.js';

const coordinator = new TestCoordinator();
const scratch = temporaryFolder('lost-store');
const clients: WireClient[] = [];
let beta: ScriptedSite;

beforeAll(async () => {
  await coordinator.start();
  [beta] = (await coordinator.join('beta', 'gamma')) as [ScriptedSite];
});
afterAll(async () => {
  for (const client of clients) client.close();
  beta.calls.close();
  await coordinator.remove();
});

interface Agent {
  folder: string;
  member: Membership;
  store: KeyStore;
  client: WireClient;
}

function open(folder: string, passphrase: string): Agent {
  const member = readMembership(folder);
  const store = KeyStore.open(join(folder, 'keys'), passphrase);
  const client = new WireClient(endpointOf(member), readTlsCredential(store));
  clients.push(client);
  return { folder, member, store, client };
}

async function join_(invite: string, name: string, passphrase: string): Promise<Agent> {
  const inviteFile = join(scratch, `${name}.invite.json`);
  writeFileSync(inviteFile, invite, { mode: 0o600 });
  await joinConsortium({ inviteFile, folder: join(scratch, name), passphrase });
  return open(join(scratch, name), passphrase);
}

const poll = ({ client }: Agent) =>
  client.poll({ wireVersion: WIRE_VERSION, waitMs: 0, positions: [], known: '', authorities: 0 }, new AbortController().signal);

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error instanceof CoordinatorRefusal ? error.refusal : String(error)),
  );

it('a lost store is replaced by a new identity; the old one is refused everywhere, and no other site notices', async () => {
  const firstInvite = await coordinator.invite('alpha');
  const lost = await join_(firstInvite, 'first', 'passphrase that is lost');
  expect(await codeOf(poll(lost))).toBe('no error');
  await beta.calls.poll([], '', 0);
  // What docs/backup.md says: revoke, invite, join into a new folder.
  const { operator } = coordinator.operator;
  await ask(operator.revokeSite.bind(operator), { site: 'alpha', reason: 'passphrase lost' });
  expect(await codeOf(poll(lost))).toBe('site-revoked');
  const secondInvite = await coordinator.invite('alpha');
  expect(() => KeyStore.open(join(lost.folder, 'keys'), 'another passphrase')).toThrow(/does not open the keys/);
  const replaced = await join_(secondInvite, 'second', 'passphrase on paper');
  expect(replaced.member.site).toBe('alpha');
  expect(replaced.member.identityKey).not.toBe(lost.member.identityKey);
  expect(await codeOf(poll(replaced))).toBe('no error');

  // The old identity, which a thief may have: its certificate, its renewal by the identity key, its invite and the used new one.
  expect(await codeOf(poll(lost))).toBe('unauthenticated');
  expect(await codeOf(lost.client.ledgerEntries(0, 1))).toBe('unauthenticated');
  expect(await codeOf(renewCertificate(lost.folder, lost.member, lost.store))).toBe('bad-signature');
  expect(await codeOf(join_(firstInvite, 'third', 'a thief has one'))).toMatch(/^invite-/);
  expect(await codeOf(join_(secondInvite, 'fourth', 'a thief has one'))).toBe('invite-used');
  // What it signs counts as little, also when it comes through the new certificate.
  const run = await coordinator.run(await coordinator.launch());
  const predicate = { consortium: lost.member.consortium, plan: run.plan, ordinal: 1, site: 'alpha', sites: ['alpha', 'beta', 'gamma'] };
  const signed = ({ store }: Agent) => signStatement('plan-approved', predicate, openSiteIdentity(store).identity);
  expect(await codeOf(lost.client.submitStatement(signed(replaced)))).toBe('unauthenticated');
  expect(await codeOf(replaced.client.submitStatement(signed(lost)))).toBe('bad-signature');
  expect(await codeOf(replaced.client.submitStatement(signed(replaced)))).toBe('no error');

  // Nobody else has to do anything.
  await beta.calls.poll([], '', 0);
  await beta.work();
});
