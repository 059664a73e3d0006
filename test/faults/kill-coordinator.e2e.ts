import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseStatement } from '@coferment/consortium';
import { expect, it } from 'vitest';
import { playDemo } from '../demo/demo.fixture.js';

const ROUNDS = 4;

/** The long version of one fault that `npm run test:faults` plays among others. */
it.runIf(process.env['RELIABILITY_FULL'] === '1')(
  'a coordinator that is killed while updates arrive goes on where it was, and counts nothing twice',
  async () => {
    const { summary, stdout, out } = await playDemo('--sites', '3', '--rounds', String(ROUNDS), '--fault', 'kill-coordinator');
    expect(summary).toMatchObject({ fault: 'kill-coordinator', run: { status: 'completed', rounds: ROUNDS }, ledger: { verified: true } });
    expect(stdout).toContain('the coordinator is killed while updates of round 2 arrive');
    expect(stdout).toContain('the coordinator is back');
    expect(summary.aggregation.rounds.map(({ round }) => round)).toEqual([1, 2, 3, 4]);

    const payloads = join(out, 'ledger/payloads');
    const statements = readdirSync(payloads).map((file) => parseStatement(readFileSync(join(payloads, file))));
    const aggregates = statements.filter((entry) => entry.name === 'aggregate').map(({ predicate }) => predicate.sum);
    expect(new Set(aggregates).size).toBe(aggregates.length);
    const closing = statements.find((entry) => entry.name === 'run-closed');
    expect(closing?.predicate).toMatchObject({
      status: 'completed',
      contributions: summary.sites.map(({ id }) => ({
        site: id,
        updates: summary.aggregation.rounds.filter(({ counted }) => counted.includes(id)).length,
      })),
    });
  },
);
