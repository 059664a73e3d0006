import { expect, it } from 'vitest';
import { playDemo } from '../demo/demo.fixture.js';

const ROUNDS = 8;

/** The long version of one fault that `npm run test:faults` plays among others. */
it.runIf(process.env['RELIABILITY_FULL'] === '1')(
  'a site that is killed in mid-training is missed by name, comes back, and the run completes',
  async () => {
    const { summary, stdout } = await playDemo('--sites', '4', '--rounds', String(ROUNDS), '--fault', 'drop-site');
    expect(summary).toMatchObject({ fault: 'drop-site', run: { status: 'completed', rounds: ROUNDS }, ledger: { verified: true } });
    const { rounds } = summary.aggregation;
    expect(rounds.map(({ round }) => round)).toEqual(Array.from({ length: ROUNDS }, (_, index) => index + 1));
    const sites = summary.sites.map(({ id }) => id);
    const dropped = new Set(rounds.flatMap(({ excluded }) => excluded.map(({ site }) => site)));
    expect(dropped.size).toBe(1);
    const [site] = [...dropped];
    for (const { counted, excluded } of rounds) {
      // Everybody is accounted for in every round, and nobody twice.
      expect([...counted, ...excluded.map((entry) => entry.site)].sort()).toEqual(sites);
      for (const { reason } of excluded) expect(['absent', 'late', 'dropped']).toContain(reason);
    }
    const missed = rounds.filter(({ excluded }) => excluded.length > 0).map(({ round }) => round);
    expect(missed.slice(0, 2)).toEqual([3, 4]);
    expect(rounds.at(-1)?.counted).toContain(site);
    expect(stdout).toContain(`not counted: ${site} `);
  },
);
