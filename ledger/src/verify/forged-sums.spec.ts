import { describe, expect, it } from 'vitest';
import { modelAfter, sampleLedger } from './sample-ledger.fixture.js';
import { type ForgeryCase, check, forging, other, problems, verifyLedger } from './verification.fixture.js';

const firstRound = (predicate: { kind: string; sum: number }) => predicate.kind === 'update' && predicate.sum === 6;
const secondRound = (predicate: { kind: string; sum: number }) => predicate.kind === 'update' && predicate.sum === 7;

describe('statements about sums that do not belong together', () => {
  // Every forger here has all keys: signatures and tree hold, only the content lies.
  const forgeries: ForgeryCase[] = [
    [
      'a training sum that is called a confirm',
      forging(
        'round-frozen',
        () => ({ modelIn: modelAfter(0) }),
        ({ kind }) => kind === 'confirm',
      ),
      'counted-sets',
      'a sum of kind confirm cannot start from model',
    ],
    [
      'a confirm over two sites',
      forging(
        'round-frozen',
        ({ counted }) => ({ counted: [...counted, { site: 'zulu', merkleRoot: other }] }),
        ({ kind }) => kind === 'confirm',
      ),
      'counted-sets',
      'a confirm sum is over one site, not 2 of 1',
    ],
    [
      'a site counted twice',
      forging('round-frozen', ({ counted }) => ({ counted: [counted[0]!, ...counted] }), firstRound),
      'counted-sets',
      'counts "alpha" twice',
    ],
    [
      'a site left out in silence',
      forging('round-frozen', () => ({ excluded: [] }), secondRound),
      'counted-sets',
      '"delta" is neither counted nor named',
    ],
    [
      'a site both counted and excluded',
      forging('round-frozen', ({ excluded }) => ({ excluded: [...excluded, { site: 'alpha', reason: 'late' as const }] }), secondRound),
      'counted-sets',
      '"alpha" is both',
    ],
    [
      'too few sites',
      forging('round-frozen', ({ counted }) => ({ counted: counted.slice(0, 2) }), secondRound),
      'counted-sets',
      '2 sites are counted; the run requires 3',
    ],
    [
      'a nonce twice',
      forging('round-frozen', ({ nonces }) => ({ nonces: nonces.map(({ site }) => ({ site, nonce: other })) }), firstRound),
      'counted-sets',
      'one nonce twice',
    ],
    [
      'a counted site without a nonce',
      forging('round-frozen', ({ nonces }) => ({ nonces: nonces.slice(1) }), firstRound),
      'counted-sets',
      '"alpha" is counted but has no nonce',
    ],
    ['another normalisation', forging('round-frozen', () => ({ normalisation: other }), firstRound), 'contexts', 'I does not follow'],
    ['another weight rule', forging('round-frozen', () => ({ weightRule: 'equal' }), firstRound), 'contexts', 'I does not follow'],
    [
      'another nonce',
      forging('round-frozen', ({ nonces }) => ({ nonces: nonces.with(0, { site: 'alpha', nonce: other }) }), firstRound),
      'contexts',
      'K does not follow',
    ],
    [
      'another upload',
      forging('round-frozen', ({ counted }) => ({ counted: counted.with(0, { site: 'alpha', merkleRoot: other }) }), firstRound),
      'contexts',
      'T does not follow',
    ],
    [
      'an upload that was not recorded',
      forging(
        'contribution',
        () => undefined,
        (upload) => firstRound(upload) && upload.site === 'bravo',
      ),
      'contributions',
      'the upload of "bravo" is counted, but not signed',
    ],
    [
      'an upload signed under another K',
      forging(
        'contribution',
        () => ({ k: other }),
        (upload) => firstRound(upload) && upload.site === 'bravo',
      ),
      'contributions',
      '(contribution) is for another K',
    ],
    [
      'an upload of another attempt',
      forging(
        'contribution',
        () => ({ attempt: 2 }),
        (upload) => firstRound(upload) && upload.site === 'bravo',
      ),
      'contributions',
      'another K, upload or attempt',
    ],
    [
      'two sets for one model',
      forging('round-frozen', () => ({ modelIn: modelAfter(0) }), secondRound),
      'one-set',
      'another set of sites than entry',
    ],
    [
      'an attestation over another set',
      forging(
        'attestation',
        ({ sums }) => ({ sums: [{ ...sums[0]!, t: other }] }),
        ({ site, sums }) => site === 'alpha' && sums[0]!.sum === 6,
      ),
      'one-set',
      '"alpha" attests another set for sum 6',
    ],
    [
      'a certificate that is one short',
      forging('aggregate', ({ certificate }) => ({ certificate: certificate.slice(1) }), firstRound),
      'certificates',
      '2 sites attested this counted set; 3 must',
    ],
    [
      'a certificate that counts a site twice',
      forging('aggregate', ({ certificate }) => ({ certificate: certificate.with(1, certificate[0]!) }), firstRound),
      'certificates',
      '"alpha" attests twice',
    ],
    [
      'a certificate for another set',
      forging(
        'attestation',
        ({ sums }) => ({ sums: [{ ...sums[0]!, set: other }] }),
        ({ sums }) => sums[0]!.sum === 6,
      ),
      'certificates',
      '0 sites attested',
    ],
    ['a sum that was never frozen', forging('round-frozen', () => undefined, firstRound), 'certificates', 'sum 6 of run'],
    [
      'a sum of another round',
      forging('aggregate', () => ({ round: 2 }), firstRound),
      'certificates',
      'it does not agree with the freeze of sum 6',
    ],
    [
      'shares below the threshold',
      forging('aggregate', ({ shares }) => ({ shares: shares.slice(1) }), firstRound),
      'shares',
      '2 key holders gave shares; the threshold is 3',
    ],
    [
      'one share twice',
      forging('aggregate', ({ shares }) => ({ shares: shares.with(1, shares[0]!) }), firstRound),
      'shares',
      '"alpha" gave two',
    ],
    [
      'a share for another set',
      forging(
        'share',
        () => ({ t: other }),
        (share) => firstRound(share) && share.site === 'alpha',
      ),
      'shares',
      'released a share for a set that was not frozen',
    ],
    [
      'a model from outside',
      forging('aggregate', () => ({ modelOut: other }), firstRound),
      'models',
      `it starts from model ${modelAfter(1)}, but the sum before left ${other}`,
    ],
    [
      'a released model that was never trained',
      forging('model-released', () => ({ model: other })),
      'models',
      `it releases model ${other}`,
    ],
    [
      'a model released from a run that was aborted',
      forging('run-closed', () => ({ status: 'aborted' as const })),
      'models',
      'it releases the model of a run that has not completed',
    ],
    [
      'an evaluation that changes the model',
      forging(
        'aggregate',
        () => ({ modelOut: other }),
        ({ kind }) => kind === 'evaluate',
      ),
      'models',
      'an evaluation changes the model',
    ],
    ['a run that claims another round', forging('run-closed', () => ({ rounds: 3 })), 'totals', 'it says 3 rounds; 2 sums'],
    [
      'a contribution too many',
      forging('run-closed', ({ contributions }) => ({ contributions: contributions.with(3, { site: 'delta', updates: 2 }) })),
      'totals',
      'it says 2 contributions of "delta"; 1 are recorded',
    ],
    [
      'contributions of a stranger',
      forging('run-closed', ({ contributions }) => ({ contributions: [...contributions, { site: 'echo', updates: 1 }] })),
      'totals',
      '"echo" is not a site of the run',
    ],
    ['another last model', forging('run-closed', () => ({ model: other })), 'totals', `it ends with model ${other}`],
    ['an evaluation of another model', forging('evaluation', () => ({ model: other })), 'totals', 'was not taken on that model'],
  ];

  it.each(forgeries)('finds %s', async (_, forge, id, message) => {
    const report = await verifyLedger(sampleLedger(forge));
    expect(report.verdict).toBe('does-not-hold');
    for (const structural of ['checkpoint', 'root', 'tiles', 'entries', 'payloads'] as const)
      expect(check(report, structural).outcome).toBe('holds');
    expect(problems(report, id).join('\n')).toContain(message);
  });
});
