import type { Predicate } from '@coferment/consortium';
import { bytesToHex, hash } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { type NoteSigner, appendSignatures, cosign, encodeVkey, parseNote, publicKeyFromSeed, verifierKey } from '../note/index.js';
import { witnessName } from '../witness/index.js';
import {
  CONSORTIUM,
  ORIGIN,
  SITES,
  type SampleLedger,
  append,
  exportSample,
  identityOf,
  operator,
  sampleLedger,
} from './sample-ledger.fixture.js';
import { check, failing, other, policy, problems, verifyFiles, verifyLedger } from './verification.fixture.js';

type Quorum = Predicate<'charter'>['witnessQuorum'];
const inConsortium = { consortium: CONSORTIUM };
const keyOf = (name: string) => bytesToHex(identityOf(name).publicKey);
const seedOf = (site: string) => hash('fixture', 'witness', site);
const witnessKeyOf = (site: string) => bytesToHex(publicKeyFromSeed(seedOf(site)));
const siteWitness = (site: string): NoteSigner => ({ name: witnessName(ORIGIN, site), seed: seedOf(site) });
const OUTSIDE: NoteSigner = { name: 'witness.example', seed: seedOf('outside') };
const OUTSIDE_VKEY = encodeVkey(verifierKey('witness', OUTSIDE.name, publicKeyFromSeed(OUTSIDE.seed)));

/** Four sites under a charter; those that are named have given a witness key. */
function underCharter(witnessQuorum: Quorum, given: readonly string[], witnesses: string[] = [OUTSIDE_VKEY]): SampleLedger {
  const ledger: SampleLedger = { entries: [], payloads: [], names: [] };
  append(
    ledger,
    'consortium-founded',
    { ...inConsortium, origin: ORIGIN, operatorKey: keyOf('the operator'), wireVersion: '1.0' },
    operator,
  );
  append(ledger, 'charter', { ...inConsortium, ledgerReaders: 'members', siteNames: 'plain', witnessQuorum, witnesses }, operator);
  for (const site of SITES)
    append(ledger, 'site-enrolled', { ...inConsortium, site, identityKey: keyOf(site), certificate: other }, operator);
  for (const site of given) append(ledger, 'witness-key', { ...inConsortium, site, key: witnessKeyOf(site) }, identityOf(site));
  return ledger;
}

async function cosigned(ledger: SampleLedger, ...witnesses: NoteSigner[]) {
  const files = await exportSample(ledger);
  const note = Buffer.from(files.get('checkpoint')!).toString();
  const { text } = parseNote(note);
  const lines = witnesses.map((witness) => cosign(text, 1_700_000_000n, witness));
  return files.set('checkpoint', Buffer.from(appendSignatures(note, lines)));
}

describe('the witnesses that the charter asks for', () => {
  it.each<[string, Quorum, NoteSigner[], string]>([
    ['two of them', 2, [siteWitness('alpha'), siteWitness('bravo')], '2 of 5 known witnesses, 2 needed'],
    ['one of a site and one from outside', 2, [siteWitness('delta'), OUTSIDE], '2 of 5 known witnesses, 2 needed'],
    ['most of the sites', 'majority', SITES.slice(0, 3).map(siteWitness), '3 of 5 known witnesses, 3 needed'],
  ])('have cosigned: %s', async (_, quorum, witnesses, counts) => {
    const report = await verifyFiles(await cosigned(underCharter(quorum, SITES), ...witnesses));
    expect(report.verdict).toBe('holds');
    expect(check(report, 'charter-witnesses')).toMatchObject({ outcome: 'holds', optional: false });
    expect(check(report, 'charter-witnesses').detail).toBe(`cosigned by ${witnesses.map(({ name }) => name).join(', ')}: ${counts}`);
  });

  it('are too few: that could not be checked yet, with who is missing and what to do', async () => {
    const report = await verifyFiles(await cosigned(underCharter(3, SITES), siteWitness('alpha'), siteWitness('bravo')));
    expect(report.verdict).toBe('could-not-check');
    const { outcome, optional, detail } = check(report, 'charter-witnesses');
    expect({ outcome, optional }).toEqual({ outcome: 'unchecked', optional: false });
    expect(detail).toContain('2 of 5 known witnesses, 3 needed; export the ledger again in a minute, or ask the operator');
    expect(detail).toContain(`no cosignature of ${witnessName(ORIGIN, 'charlie')}, ${witnessName(ORIGIN, 'delta')}, witness.example`);
  });

  it('are more than the ledger knows', async () => {
    const report = await verifyFiles(await cosigned(underCharter(3, ['alpha'], []), siteWitness('alpha')));
    expect(check(report, 'charter-witnesses').detail).toContain('1 of 1 known witnesses, 3 needed; more sites must take up their agents');
  });

  it('are not those of sites that have left, or that the ledger does not know', async () => {
    const ledger = underCharter(1, ['alpha']);
    append(ledger, 'site-left', { ...inConsortium, site: 'alpha', reason: 'sold' }, identityOf('alpha'));
    const report = await verifyFiles(await cosigned(ledger, siteWitness('alpha'), siteWitness('bravo')));
    expect(check(report, 'charter-witnesses').detail).toContain('no witness of the ledger has cosigned: 0 of 1 known witnesses');
    expect(report.verdict).toBe('could-not-check');
  });

  it('are none: then nothing is missing', async () => {
    for (const ledger of [underCharter(0, SITES), sampleLedger(undefined, 1)]) {
      const report = await verifyLedger(ledger);
      expect(report.verdict).toBe('holds');
      expect(check(report, 'charter-witnesses')).toMatchObject({ outcome: 'unchecked', optional: true });
    }
  });

  it('do not count with a cosignature that does not verify', async () => {
    const [first, second] = [await cosigned(underCharter(1, SITES), siteWitness('alpha')), await exportSample(underCharter(1, ['alpha']))];
    const [, line] = Buffer.from(first.get('checkpoint')!).toString().split('\n\n');
    const note = Buffer.from(second.get('checkpoint')!).toString() + line!.split('\n')[1]! + '\n';
    const report = await verifyFiles(second.set('checkpoint', Buffer.from(note)), { policy });
    expect(failing(report)).toEqual(['charter-witnesses']);
    expect(problems(report, 'charter-witnesses')[0]).toContain(`the signature of ${witnessName(ORIGIN, 'alpha')}`);
  });

  it('have keys that can be used', async () => {
    const report = await verifyLedger(underCharter(1, [], ['no key at all']));
    expect(problems(report, 'charter-witnesses')[0]).toContain('entry 1 (charter): it names a witness whose key cannot be used');
  });
});

describe('a witness key', () => {
  const given = (site: string, key: string, identity = identityOf(site)) => {
    const ledger = underCharter(0, ['alpha']);
    append(ledger, 'witness-key', { ...inConsortium, site, key }, identity);
    return ledger;
  };

  it.each<[string, SampleLedger, string]>([
    ['of one site that another one gives', given('bravo', witnessKeyOf('bravo'), identityOf('charlie')), 'but "bravo" had key'],
    ['that the operator gives', given('bravo', witnessKeyOf('bravo'), operator), 'but "bravo" had key'],
    [
      'that is that of another site',
      given('bravo', witnessKeyOf('alpha')),
      'the witness key of "bravo" is the witness key of alpha already',
    ],
    ['that is an identity key', given('bravo', keyOf('charlie')), 'the witness key of "bravo" is the identity key of charlie already'],
    [
      "that is the site's own identity key",
      given('bravo', keyOf('bravo')),
      'the witness key of "bravo" is the identity key of bravo already',
    ],
    ["that is the operator's", given('bravo', keyOf('the operator')), 'is the identity key of the operator already'],
  ])('is refused: one %s', async (_, ledger, message) => {
    const report = await verifyLedger(ledger);
    expect(failing(report)).toEqual(['signatures']);
    expect(problems(report, 'signatures').join('\n')).toContain(message);
  });

  it('keeps a site from being enrolled with it', async () => {
    const ledger = underCharter(0, ['alpha']);
    append(ledger, 'site-enrolled', { ...inConsortium, site: 'echo', identityKey: witnessKeyOf('alpha'), certificate: other }, operator);
    expect(problems(await verifyLedger(ledger), 'signatures')[0]).toContain(
      'the key enrolled for "echo" is the witness key of alpha already',
    );
  });

  it('may be replaced by its site, and be given again after a restart', async () => {
    const ledger = given('alpha', witnessKeyOf('another of alpha'));
    append(ledger, 'witness-key', { ...inConsortium, site: 'alpha', key: witnessKeyOf('alpha') }, identityOf('alpha'));
    expect(failing(await verifyLedger(ledger))).toEqual([]);
  });
});
