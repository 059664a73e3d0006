import { type Predicate, type PredicateName, pseudonymOf } from '@coferment/consortium';
import { bytesToHex, generateIdentity } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { CONSORTIUM, ORIGIN, type SampleLedger, append, identityOf, operator, sampleLedger } from './sample-ledger.fixture.js';
import { failing, other, problems, verifyLedger } from './verification.fixture.js';

const inConsortium = { consortium: CONSORTIUM };
const keyOf = (name: string) => bytesToHex(identityOf(name).publicKey);
const left = (site: string) => ({ ...inConsortium, site, reason: 'sold' });
const auditor = (name: string, identityKey = keyOf(name)) => ({ ...inConsortium, auditor: name, identityKey, certificate: other });
const approval = { ...inConsortium, site: 'alpha', plan: other, ordinal: 9, sites: ['alpha'] };
const authorities = (sequence: number) => ({ ...inConsortium, sequence, certificates: ['-----BEGIN CERTIFICATE-----'] });
const charter = (siteNames: 'plain' | 'pseudonyms') => ({
  ...inConsortium,
  ledgerReaders: 'members' as const,
  siteNames,
  witnessQuorum: 2,
  witnesses: [],
});

/** A ledger of nothing but these acts of the operator, after its founding. */
function young(...acts: { [N in PredicateName]: [N, Predicate<N>] }[PredicateName][]): SampleLedger {
  const ledger: SampleLedger = { entries: [], payloads: [], names: [] };
  append(
    ledger,
    'consortium-founded',
    { ...inConsortium, origin: ORIGIN, operatorKey: bytesToHex(operator.publicKey), wireVersion: '1.0' },
    operator,
  );
  for (const [name, predicate] of acts) append(ledger, name, predicate, operator);
  return ledger;
}

describe('acts about members that do not belong together', () => {
  const forged: [string, (ledger: SampleLedger) => void, string][] = [
    [
      'a leaving that the operator signed for the site',
      (ledger) => append(ledger, 'site-left', left('alpha'), operator),
      'but "alpha" had key',
    ],
    [
      'a leaving that another site signed',
      (ledger) => append(ledger, 'site-left', left('alpha'), identityOf('bravo')),
      'but "alpha" had key',
    ],
    ['a leaving of a stranger', (ledger) => append(ledger, 'site-left', left('echo'), identityOf('echo')), '"echo" has no enrolled key'],
    [
      'an act of a site that has left',
      (ledger) => {
        append(ledger, 'site-left', left('alpha'), identityOf('alpha'));
        append(ledger, 'plan-approved', approval, identityOf('alpha'));
      },
      '"alpha" has no enrolled key at this point',
    ],
    [
      'a second leaving',
      (ledger) => {
        append(ledger, 'site-left', left('alpha'), identityOf('alpha'));
        append(ledger, 'site-left', { ...left('alpha'), reason: 'again' }, identityOf('alpha'));
      },
      '"alpha" has no enrolled key at this point',
    ],
    [
      'a site that enrols an auditor',
      (ledger) => append(ledger, 'auditor-enrolled', auditor('eve'), identityOf('alpha')),
      'but the operator had key',
    ],
    [
      "an auditor with a site's key",
      (ledger) => append(ledger, 'auditor-enrolled', auditor('eve', keyOf('alpha')), operator),
      'that of alpha already',
    ],
    [
      "an auditor with the operator's key",
      (ledger) => append(ledger, 'auditor-enrolled', auditor('eve', bytesToHex(operator.publicKey)), operator),
      'that of the operator already',
    ],
    [
      "an auditor with a site's name",
      (ledger) => append(ledger, 'auditor-enrolled', auditor('alpha', other), operator),
      '"alpha" is a site',
    ],
    [
      "a site with an auditor's key",
      (ledger) => {
        append(ledger, 'auditor-enrolled', auditor('eve'), operator);
        append(ledger, 'site-enrolled', { ...inConsortium, site: 'echo', identityKey: keyOf('eve'), certificate: other }, operator);
      },
      'that of eve already',
    ],
    [
      "a site with an auditor's name",
      (ledger) => {
        append(ledger, 'auditor-enrolled', auditor('eve'), operator);
        append(ledger, 'site-enrolled', { ...inConsortium, site: 'eve', identityKey: keyOf('eve'), certificate: other }, operator);
      },
      '"eve" is an auditor',
    ],
    [
      'an auditor that approves a plan',
      (ledger) => {
        append(ledger, 'auditor-enrolled', auditor('eve'), operator);
        append(ledger, 'plan-approved', { ...approval, site: 'eve' }, identityOf('eve'));
      },
      '"eve" has no enrolled key',
    ],
    [
      'the end of an auditor who never was one',
      (ledger) => append(ledger, 'auditor-revoked', { ...inConsortium, auditor: 'eve', reason: '' }, operator),
      '"eve" was not enrolled',
    ],
    ['a charter that comes later', (ledger) => append(ledger, 'charter', charter('plain'), operator), 'only stand in the second entry'],
    [
      'an older set of authorities',
      (ledger) => {
        append(ledger, 'authorities', authorities(2), operator);
        append(ledger, 'authorities', authorities(1), operator);
      },
      '2 was there already',
    ],
    [
      'authorities that a site names',
      (ledger) => append(ledger, 'authorities', authorities(1), identityOf('alpha')),
      'but the operator had key',
    ],
    [
      'a refusal, which is told to the operator and to nobody else',
      (ledger) =>
        append(
          ledger,
          'instruction-refused',
          { ...inConsortium, run: `r1-${'a'.repeat(16)}`, site: 'alpha', subject: 'plan 1', rule: 'epsilon', reason: '' },
          identityOf('alpha'),
        ),
      'does not belong in the ledger',
    ],
  ];

  it.each(forged)('are found: %s', async (_, act, message) => {
    const ledger = sampleLedger();
    act(ledger);
    const report = await verifyLedger(ledger);
    expect(failing(report)).toEqual(['signatures']);
    expect(problems(report, 'signatures').join('\n')).toContain(message);
  });
});

describe('acts about members', () => {
  it('hold: a site leaves, another comes under its name, an auditor comes and goes, authorities follow each other', async () => {
    const ledger = sampleLedger();
    append(ledger, 'site-left', left('alpha'), identityOf('alpha'));
    const back = generateIdentity();
    append(
      ledger,
      'site-enrolled',
      { ...inConsortium, site: 'alpha', identityKey: bytesToHex(back.publicKey), certificate: other },
      operator,
    );
    append(ledger, 'plan-approved', approval, back);
    append(ledger, 'auditor-enrolled', auditor('eve'), operator);
    append(ledger, 'auditor-revoked', { ...inConsortium, auditor: 'eve', reason: 'term over' }, operator);
    append(ledger, 'authorities', authorities(1), operator);
    append(ledger, 'authorities', authorities(2), operator);
    expect(failing(await verifyLedger(ledger))).toEqual([]);
  });

  it('hold under a charter with pseudonyms, where no site may have another name', async () => {
    const site = pseudonymOf({ company: 'Acme', salt: other });
    const enrolled = (name: string) => ({ ...inConsortium, site: name, identityKey: keyOf('alpha'), certificate: other });
    expect(failing(await verifyLedger(young(['charter', charter('pseudonyms')], ['site-enrolled', enrolled(site)])))).toEqual([]);
    const named = await verifyLedger(young(['charter', charter('pseudonyms')], ['site-enrolled', enrolled('alpha')]));
    expect(problems(named, 'signatures').join('\n')).toContain('"alpha" is no pseudonym');
    expect(failing(await verifyLedger(young(['charter', charter('plain')], ['site-enrolled', enrolled('alpha')])))).toEqual([]);
  });

  it('hold under one charter only', async () => {
    const report = await verifyLedger(young(['charter', charter('plain')], ['charter', charter('pseudonyms')]));
    expect(problems(report, 'signatures').join('\n')).toContain('only stand in the second entry');
  });
});
