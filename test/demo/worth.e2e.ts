import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { REPOSITORY } from '../e2e/command.runner.js';
import { playDemo } from './demo.fixture.js';

const MOST_SECONDS = 300;
/** How far behind pooling all records in one place a federated model may be. */
const MOST_BEHIND_POOLED = 1.15;

it.runIf(process.env['DEMO_FULL'] === '1')(
  'five virtual sites learn more together than alone, and almost as much as from all records in one place',
  async () => {
    const { summary } = await playDemo();
    expect(summary.run).toMatchObject({ status: 'completed', rounds: 10 });
    expect(summary.ledger.verified).toBe(true);
    expect(summary.metric.federated).toBeLessThan(summary.metric.localOnly);
    expect(summary.metric.federated).toBeLessThanOrEqual(MOST_BEHIND_POOLED * summary.metric.pooled);
    expect(summary.aggregation).toMatchObject({ parameters: 'STANDARD', keyHolders: 5, threshold: 4, collusionBound: 2, attestQuorum: 4 });
    expect(summary.seconds.total).toBeLessThan(MOST_SECONDS);
  },
);

const data = join(REPOSITORY, '../shared/data/ecoli-proteinl');

it.skipIf(!existsSync(data))(
  'on real E. coli runs the federated model beats the own model of every silo (skipped where the data are absent)',
  async () => {
    const { summary } = await playDemo('--consortium', 'examples/ecoli-proteinl/consortium.yaml', '--data', data);
    expect(summary.run.status).toBe('completed');
    expect(summary.ledger.verified).toBe(true);
    expect(summary.sites.map(({ id }) => id)).toEqual(['doe1', 'doe2', 'doe3']);
    for (const { localOnly } of summary.sites) expect(summary.metric.federated).toBeLessThan(localOnly);
  },
);
