import { describe, expect, it } from 'vitest';
import { CONSORTIUM, SITES, type SampleLedger, append, identityOf, sampleLedger } from './sample-ledger.fixture.js';
import { type ForgeryCase, check, failing, forging, problems, verifyLedger } from './verification.fixture.js';

const ASKED = [...SITES, 'echo', 'foxtrot'];
const narrowed = (forge?: Parameters<typeof sampleLedger>[0]) => sampleLedger(forge, 1, 0, ['echo', 'foxtrot']);

describe('a run that went on without sites that had not approved in time', () => {
  it('holds, and says so', async () => {
    const report = await verifyLedger(narrowed());
    expect(failing(report)).toEqual([]);
    expect(check(report, 'runs').detail).toBe('1 run, 1 without sites that had not approved in time');
    expect(check(await verifyLedger(sampleLedger(undefined, 1)), 'runs').detail).toBe('1 run');
  });

  it('holds when a site that is not in it has approved another run of the plan, or this one after it was opened', async () => {
    const ledger = narrowed();
    append(ledger, 'plan-approved', { ...approvalOf('echo', ledger), ordinal: 2 }, identityOf('echo'));
    append(ledger, 'plan-approved', approvalOf('foxtrot', ledger), identityOf('foxtrot'));
    expect(failing(await verifyLedger(ledger))).toEqual([]);
  });

  const forgeries: ForgeryCase[] = [
    [
      'a site in it that never approved',
      forging('run-opened', () => ({ sites: [...SITES, 'echo'] })),
      'runs',
      '"echo" had not approved run 1',
    ],
    [
      'a site in it whose approval was left out',
      forging(
        'plan-approved',
        () => undefined,
        ({ site }) => site === 'delta',
      ),
      'runs',
      '"delta" had not approved run 1',
    ],
    [
      'a site left out that had approved',
      forging('run-opened', ({ sites }) => ({ sites: sites.slice(0, 3) })),
      'runs',
      '"delta" had approved run 1 of this plan, but the run was opened without it',
    ],
    [
      'sites that were asked with different lists',
      forging(
        'plan-approved',
        () => ({ sites: SITES }),
        ({ site }) => site === 'charlie',
      ),
      'runs',
      '"charlie" was asked with other sites than "alpha"',
    ],
    [
      'a site that none of the others was asked with',
      forging(
        'plan-approved',
        () => ({ sites: ASKED.filter((site) => site !== 'delta') }),
        ({ site }) => site === 'alpha',
      ),
      'runs',
      '"alpha" had not approved run 1 of this plan with these sites',
    ],
    [
      'a key epoch with the numbers of all who were asked',
      forging('key-epoch', ({ numbers }) => ({ numbers: { ...numbers, n: 6, c: 2, rho: 5, minContributors: 4 } })),
      'key-epochs',
      'it is for n = 6 sites, but the run has 4',
    ],
  ];

  it.each(forgeries)('does not hold with %s', async (_, forge, id, message) => {
    const report = await verifyLedger(narrowed(forge));
    expect(failing(report)).toContain(id);
    expect(problems(report, id).join('\n')).toContain(message);
  });
});

function approvalOf(site: string, ledger: SampleLedger) {
  const stored = ledger.names.indexOf('plan-approved');
  const { predicate } = JSON.parse(Buffer.from(ledger.payloads[stored]!).toString()) as { predicate: { plan: string; ordinal: number } };
  return { consortium: CONSORTIUM, site, plan: predicate.plan, ordinal: predicate.ordinal, sites: ASKED };
}
