import { statementBytes } from '@coferment/consortium';
import { bytesToHex, generateIdentity, sha256Hex } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { payloadPath } from '../export/index.js';
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
import { type ForgeryCase, check, failing, forging, other, problems, verifyFiles, verifyLedger } from './verification.fixture.js';

describe('statements about members that do not belong together', () => {
  // Every forger here has all keys: signatures and tree hold, only the content lies.
  const forgeries: ForgeryCase[] = [
    [
      'a site that was never enrolled',
      forging(
        'site-enrolled',
        () => undefined,
        ({ site }) => site === 'delta',
      ),
      'signatures',
      '"delta" has no enrolled key',
    ],
    [
      'one key for two sites',
      forging(
        'site-enrolled',
        () => ({ identityKey: bytesToHex(identityOf('alpha').publicKey) }),
        ({ site }) => site === 'bravo',
      ),
      'signatures',
      'that of alpha already',
    ],
    [
      'another log',
      forging('consortium-founded', () => ({ origin: 'elsewhere.example/log' })),
      'signatures',
      'it founds the log "elsewhere.example/log"',
    ],
    [
      'a plan that one site did not approve',
      forging(
        'plan-approved',
        () => undefined,
        ({ site }) => site === 'bravo',
      ),
      'runs',
      '"bravo" had not approved run 1',
    ],
    [
      'an approval for fewer companies',
      forging(
        'plan-approved',
        () => ({ sites: ['alpha', 'bravo', 'charlie'] }),
        ({ site }) => site === 'alpha',
      ),
      'runs',
      '"alpha" had not approved',
    ],
    ['a plan that was never published', forging('plan-published', () => ({ plan: other })), 'runs', 'was never published'],
    [
      'a dealing that one holder did not acknowledge',
      forging(
        'dealing-ack',
        () => undefined,
        ({ site, dealer }) => site === 'bravo' && dealer === 'delta',
      ),
      'key-epochs',
      '"bravo" has not acknowledged the dealing of "delta"',
    ],
    [
      'an epoch that one site did not sign',
      forging(
        'epoch-agreed',
        () => undefined,
        ({ site }) => site === 'charlie',
      ),
      'key-epochs',
      '"charlie" has not signed E',
    ],
    [
      'a roster that one site did not approve',
      forging(
        'roster-approved',
        () => undefined,
        ({ site }) => site === 'charlie',
      ),
      'key-epochs',
      '"charlie" has not approved the roster',
    ],
    [
      'a lower attest quorum',
      forging('key-epoch', ({ numbers }) => ({ numbers: { ...numbers, rho: 2 } })),
      'key-epochs',
      'the attest quorum is 2, but n = 4 and c = 1 require 3',
    ],
    [
      'sums over two sites',
      forging('key-epoch', ({ numbers }) => ({ numbers: { ...numbers, minContributors: 2 } })),
      'key-epochs',
      '2 contributors are too few',
    ],
    [
      'a threshold that colluders reach',
      forging('key-epoch', ({ numbers }) => ({ numbers: { ...numbers, tau: 1 } })),
      'key-epochs',
      'threshold 1 of 3',
    ],
    ['another E', forging('key-epoch', () => ({ e: other })), 'key-epochs', 'E does not follow'],
  ];

  it.each(forgeries)('finds %s', async (_, forge, id, message) => {
    const report = await verifyLedger(sampleLedger(forge));
    expect(report.verdict).toBe('does-not-hold');
    for (const structural of ['checkpoint', 'root', 'tiles', 'entries', 'payloads'] as const)
      expect(check(report, structural).outcome).toBe('holds');
    expect(problems(report, id).join('\n')).toContain(message);
  });
});

describe('statements by the wrong signer', () => {
  const inConsortium = { consortium: CONSORTIUM };
  const enrolEcho = { ...inConsortium, site: 'echo', identityKey: bytesToHex(identityOf('echo').publicKey), certificate: other };
  const approve = (site: string) => ({ ...inConsortium, site, plan: other, ordinal: 1, sites: SITES });

  const wrong: [string, (ledger: SampleLedger) => void, string][] = [
    [
      'a site that acts as the operator',
      (ledger) => append(ledger, 'site-enrolled', enrolEcho, identityOf('alpha')),
      'but the operator had key',
    ],
    ['the operator that acts as a site', (ledger) => append(ledger, 'plan-approved', approve('alpha'), operator), 'but "alpha" had key'],
    [
      'one site that acts as another',
      (ledger) => append(ledger, 'plan-approved', approve('alpha'), identityOf('bravo')),
      'but "alpha" had key',
    ],
    ['a stranger', (ledger) => append(ledger, 'plan-approved', approve('echo'), generateIdentity()), '"echo" has no enrolled key'],
    [
      'a member of another consortium',
      (ledger) => append(ledger, 'plan-approved', { ...approve('alpha'), consortium: 'another' }, identityOf('alpha')),
      'of another consortium, "another"',
    ],
    [
      'a revoked site',
      (ledger) => {
        append(ledger, 'site-revoked', { ...inConsortium, site: 'alpha', reason: 'left' }, operator);
        append(ledger, 'plan-approved', approve('alpha'), identityOf('alpha'));
      },
      '"alpha" has no enrolled key at this point',
    ],
    [
      'a second founder',
      (ledger) =>
        append(ledger, 'consortium-founded', { ...inConsortium, origin: ORIGIN, operatorKey: other, wireVersion: 'v1' }, operator),
      'founded a second time',
    ],
    [
      'somebody who revokes a stranger',
      (ledger) => append(ledger, 'site-revoked', { ...inConsortium, site: 'echo', reason: 'x' }, operator),
      '"echo" was not enrolled',
    ],
  ];

  it.each(wrong)('refuses %s', async (_, act, message) => {
    const ledger = sampleLedger();
    act(ledger);
    const report = await verifyLedger(ledger);
    expect(failing(report)).toEqual(['signatures']);
    expect(problems(report, 'signatures').join('\n')).toContain(message);
  });

  it('accepts a site under its new key after it was revoked and enrolled again, and not under the old one', async () => {
    const ledger = sampleLedger();
    const renewed = generateIdentity();
    append(ledger, 'site-revoked', { ...inConsortium, site: 'alpha', reason: 'x' }, operator);
    append(ledger, 'site-enrolled', { ...enrolEcho, site: 'alpha', identityKey: bytesToHex(renewed.publicKey) }, operator);
    append(ledger, 'plan-approved', approve('alpha'), renewed);
    expect(failing(await verifyLedger(ledger))).toEqual([]);
    append(ledger, 'plan-approved', { ...approve('alpha'), ordinal: 2 }, identityOf('alpha'));
    expect(failing(await verifyLedger(ledger))).toEqual(['signatures']);
  });

  it('refuses a log whose first entry does not found the consortium', async () => {
    const ledger = sampleLedger(forging('consortium-founded', () => undefined));
    expect(problems(await verifyLedger(ledger), 'signatures').join('\n')).toContain('the first entry must found the consortium');
  });

  it('refuses a payload that is no statement of the consortium', async () => {
    const ledger = sampleLedger();
    const files = await exportSample(ledger);
    const path = payloadPath(sha256Hex(ledger.payloads[0]!));
    files.set(path, statementBytes('site-revoked', { ...inConsortium, site: 'echo', reason: 'x' }));
    expect(failing(await verifyFiles(files))).toContain('payloads');
  });
});
