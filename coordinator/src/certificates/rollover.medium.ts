import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Predicate, WIRE_VERSION, openStatement, parseStatement } from '@coferment/consortium';
import { type DsseEnvelope, hexToBytes } from '@coferment/crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { fromWire } from '../agent-port/envelope.codec.js';
import { ask } from '../cli/operator.client.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { PublicationService } from '../publication/publication.service.js';
import { CertifiedSite } from '../testing/certified-site.fixture.js';
import { TestCoordinator } from '../testing/coordinator.fixture.js';
import { AuthoritiesRepository } from './authorities.repository.js';

const coordinator = new TestCoordinator();
/** Learns of nothing: it has the first authority and a certificate of it until a test renews. */
let away: CertifiedSite;

beforeAll(async () => {
  await coordinator.start();
  away = await CertifiedSite.join(await coordinator.invite('alder'));
});
beforeEach(() => vi.restoreAllMocks());
afterAll(async () => {
  away.close();
  await coordinator.remove();
});

const roll = () => ask(coordinator.operator.operator.rollAuthority.bind(coordinator.operator.operator), {});
const retire = (force: boolean) => ask(coordinator.operator.operator.retireAuthority.bind(coordinator.operator.operator), { force });
const status = () => ask(coordinator.operator.operator.getStatus.bind(coordinator.operator.operator), {});

async function restart(): Promise<void> {
  await coordinator.stop();
  vi.restoreAllMocks();
  await coordinator.start();
}

/** Each death costs a restart; by default every second one is tried. */
const FULL = process.env['SOVEREIGNTY_FULL'] === '1';
const fault = () => {
  throw new Error('killed');
};
/** The writes of a rollover, in order. The process dies instead of making one of them. */
const deaths: [string, () => unknown][] = [
  ['the keys', () => vi.spyOn(ConsortiumIdentity.prototype, 'keepSecrets').mockImplementationOnce(fault)],
  ['the ledger', () => vi.spyOn(AuthoritiesRepository.prototype, 'insert').mockImplementationOnce(fault)],
  ['the checkpoint', dieBeforeTheCheckpoint],
  ['the public facts', () => vi.spyOn(ConsortiumIdentity.prototype, 'keepFacts').mockImplementationOnce(fault)],
  ["the operator's pair", () => vi.spyOn(ConsortiumIdentity.prototype, 'keepOperatorClient').mockImplementationOnce(fault)],
];

/** Every rollover first ends the one before, which looks at the ledger too: only the checkpoint after the new act counts. */
function dieBeforeTheCheckpoint(): void {
  const repository = coordinator.running.context.get(AuthoritiesRepository);
  const insert = repository.insert.bind(repository);
  vi.spyOn(repository, 'insert').mockImplementationOnce(async (...row) => {
    await insert(...row);
    vi.spyOn(PublicationService.prototype, 'follow').mockImplementationOnce(() => Promise.reject(new Error('killed')));
  });
}

/** Authorities acts that are in the ledger, by their sequence numbers. */
async function published(): Promise<number[]> {
  const { context } = coordinator.running;
  const rows = await context.get(PublicationService).entries(0, 256);
  return rows.flatMap(({ payload }) => {
    const { name, predicate } = parseStatement(payload);
    return name === 'authorities' ? [(predicate as Predicate<'authorities'>).sequence] : [];
  });
}

/** Everybody gets in on a new connection, and the ledger, the answers and the status say the same. */
async function expectWhole(sequence: number, authorities: number): Promise<void> {
  await coordinator.reconnect();
  expect(await status()).toMatchObject({ authorities: sequence });
  expect((await status()).authorityFingerprints).toHaveLength(authorities);
  expect(await published()).toEqual(Array.from({ length: sequence }, (_, index) => index + 1));
  const { facts, authority, authorities: held } = coordinator.running.context.get(ConsortiumIdentity);
  expect(facts.authority).toBe(authority.certificate);
  expect(held.certificates[0]).toBe(authority.certificate);
  const { authorities: told } = await away.calls().poll([], '', 0);
  expect(told).toBe(sequence);
}

describe('a rollover that is killed before it writes', () => {
  it.each(FULL ? deaths : deaths.filter((_, index) => index % 2 === 1))('%s is whole after the next start', async (what, die) => {
    const { authorities: before } = await status();
    die();
    await expect(roll()).rejects.toMatchObject({ code: 'internal' });
    await restart();
    if (what === 'the keys') {
      await expectWhole(before, 1);
      await roll();
    }
    await expectWhole(before + 1, 2);
    await expect(roll()).rejects.toMatchObject({ code: 'overlap-open' });
    await expect(retire(false)).rejects.toMatchObject({ code: 'sites-behind', message: expect.stringContaining('alder') });
    await away.renew();
    await retire(true);
    await expectWhole(before + 2, 1);
    await expect(retire(false)).rejects.toMatchObject({ code: 'no-overlap' });
    // What leads back from the newest authority is limited: this site has missed enough now.
    away.authorities = coordinator.running.context.get(ConsortiumIdentity).authority.certificate;
  });
});

describe('the end of an overlap that is killed before it writes', () => {
  it.each(deaths.slice(0, FULL ? 2 : 1))('%s is whole after the next start', async (what, die) => {
    const { sequence } = await roll();
    await away.renew();
    die();
    await expect(retire(true)).rejects.toMatchObject({ code: 'internal' });
    await restart();
    if (what === 'the keys') {
      await expectWhole(sequence, 2);
      expect(await retire(true)).toEqual({ sequence: sequence + 1, behind: ['alder'] });
    }
    await expectWhole(sequence + 1, 1);
    away.authorities = coordinator.running.context.get(ConsortiumIdentity).authority.certificate;
  });
});

describe('another coordinator with a copy of the keys on the same database', () => {
  it('that has gone further leaves this one nothing to sign', async () => {
    const { context } = coordinator.running;
    const { sequence } = context.get(ConsortiumIdentity).authorities;
    const [repository, database] = [context.get(AuthoritiesRepository), context.get(Database)];
    const act = { payloadType: 'other', payload: '', signatures: [{ keyid: '', sig: '' }] } as unknown as DsseEnvelope;
    await database.transaction((manager) => repository.insert(manager, { sequence: sequence + 1, act }));
    await expect(roll()).rejects.toMatchObject({ code: 'folder-unusable' });
    expect(context.get(ConsortiumIdentity).authorities.sequence).toBe(sequence);
    await database.transaction((manager) => manager.query('DELETE FROM authorities WHERE sequence = $1', [sequence + 1]));
    await expectWhole(sequence, 1);
  });
});

describe('an auditor', () => {
  it('holds up no end of an overlap: it never says what it knows', async () => {
    const { operator } = coordinator.operator;
    const request = { site: 'eve', validHours: 1, address: '', preAdmitted: true, role: 'auditor' };
    const eve = await CertifiedSite.join((await ask(operator.createInvite.bind(operator), request)).invite);
    const { sequence } = await roll();
    await away.renew();
    const { call } = await away.renewal();
    expect((await away.send(call)).authorities).toBeDefined();
    const calls = away.calls();
    await ask(calls.polling.poll.bind(calls.polling), {
      wireVersion: WIRE_VERSION,
      waitMs: 0,
      positions: [],
      known: '',
      authorities: sequence,
    });
    await expect(retire(false)).resolves.toEqual({ sequence: sequence + 1, behind: [] });
    away.authorities = coordinator.running.context.get(ConsortiumIdentity).authority.certificate;
    await coordinator.reconnect();
    eve.close();
  });
});

describe('after a rollover', () => {
  it('the act that comes with a renewal is signed by the operator, and names both authorities until the end of the overlap', async () => {
    const { sequence, fingerprint } = await roll();
    const { call } = await away.renewal();
    const { authorities } = await away.send(call);
    const { operatorKey, consortium } = coordinator.running.facts;
    const { predicate } = openStatement('authorities', fromWire(authorities), hexToBytes(operatorKey));
    expect(predicate).toMatchObject({ consortium, sequence });
    expect(predicate.certificates).toHaveLength(2);
    expect((await status()).authorityFingerprints[0]).toBe(fingerprint);
  });

  it('a site says in its polls how far it has come, and cannot say that it is ahead', async () => {
    const { sequence } = coordinator.running.context.get(ConsortiumIdentity).authorities;
    const calls = away.calls();
    await ask(calls.polling.poll.bind(calls.polling), {
      wireVersion: '1.0',
      waitMs: 0,
      positions: [],
      known: '',
      authorities: sequence + 7,
    }).catch(() => undefined);
    await away.renew();
    await ask(away.calls().polling.poll.bind(away.calls().polling), {
      wireVersion: '1.0',
      waitMs: 0,
      positions: [],
      known: '',
      authorities: sequence + 7,
    });
    expect((await status()).sites.find(({ site }) => site === 'alder')?.authorities).toBe(sequence);
    await expect(retire(false)).resolves.toEqual({ sequence: sequence + 1, behind: [] });
    await coordinator.reconnect();
  });

  it('a new invite carries the newest authority', async () => {
    const { caCertificate } = (await CertifiedSite.join(await coordinator.invite('birch'))).invite;
    expect(caCertificate).toBe(coordinator.running.context.get(ConsortiumIdentity).authority.certificate);
  });

  it('a coordinator with the keys from before it refuses to start', async () => {
    const file = join(coordinator.folder, 'secrets.sealed');
    const old = readFileSync(file);
    await roll();
    const newest = readFileSync(file);
    await coordinator.stop();
    writeFileSync(file, old);
    await expect(coordinator.start()).rejects.toMatchObject({ code: 'folder-unusable', message: expect.stringContaining('newest copy') });
    writeFileSync(file, newest);
    await coordinator.start();
  });
});
