import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLedger, statementsOf } from '../cli/ledger.reader.js';
import { runText, statusText } from '../cli/run.text.js';
import { ask } from '../cli/operator.client.js';
import { TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import type { ScriptedSite } from '../testing/scripted-site.fixture.js';
import { MOST_REFUSALS } from './run.refusals.js';

describe('a site that tells what it refuses', () => {
  const coordinator = new TestCoordinator();
  let sites: ScriptedSite[];
  let run: string;

  beforeAll(async () => {
    await coordinator.start();
    sites = await coordinator.join('alpha', 'beta', 'gamma');
    run = await coordinator.launch();
  });
  afterAll(async () => {
    for (const site of sites) site.calls.close();
    await coordinator.remove();
  });

  const tell = (site: ScriptedSite, change: object = {}) => {
    const said = { subject: 'plan 1', rule: 'minContributors', reason: 'plan has 3, floor is 5' };
    return site.submit('instruction-refused', { consortium: 'scripted', run, site: site.site, ...said, ...change });
  };

  it('is refused for another site, another run and another consortium', async () => {
    const [alpha] = sites as [ScriptedSite];
    await expect(tell(alpha, { site: 'beta' })).rejects.toMatchObject({ code: 'forbidden' });
    await expect(tell(alpha, { run: `r9-${'0'.repeat(16)}` })).rejects.toMatchObject({ code: 'unknown-run' });
    await expect(tell(alpha, { consortium: 'other' })).rejects.toMatchObject({ code: 'other-consortium' });
    expect((await coordinator.run(run)).refusals).toEqual([]);
  });

  it('is shown to the operator with site, rule and reason, wherever the run waits for it', async () => {
    const [alpha] = sites as [ScriptedSite];
    const digest = await tell(alpha);
    expect(await tell(alpha)).toBe(digest);
    await expect(tell(alpha, { reason: 'another' })).rejects.toMatchObject({ code: 'already-different' });
    const status = await coordinator.run(run);
    expect(status.refusals).toMatchObject([
      { site: 'alpha', subject: 'plan 1', rule: 'minContributors', reason: 'plan has 3, floor is 5', timeMs: expect.any(Number) },
    ]);
    const { operator } = coordinator.operator;
    for (const screen of [runText(status), statusText(await ask(operator.getStatus.bind(operator), {}))]) {
      expect(screen).toMatch(/waits for alpha, beta, gamma/);
      expect(screen).toMatch(/refused 2\d{3}-.*: alpha refuses plan 1: rule minContributors: plan has 3, floor is 5/);
      expect(screen).toMatch(/what to do: alpha refuses plan 1: rule minContributors: plan has 3, floor is 5\. Each of these sites/);
    }
  });

  it('has that in the events of the run, and not in the ledger', async () => {
    const { operator } = coordinator.operator;
    const watched = operator.watchRun({ run, after: 0 });
    const seen: string[] = [];
    for await (const event of watched as AsyncIterable<{ site: string; text: string }>) {
      seen.push(`${event.site}: ${event.text}`);
      if (event.text.includes('refuses')) break;
    }
    watched.cancel();
    expect(seen.at(-1)).toBe('alpha: alpha refuses plan 1: rule minContributors: plan has 3, floor is 5');
    expect(statementsOf(await readLedger(coordinator.operator)).map(({ name }) => name)).not.toContain('instruction-refused');
  });

  it('can fill nothing with it', async () => {
    const [, beta] = sites as [ScriptedSite, ScriptedSite];
    for (let i = 0; i < MOST_REFUSALS; i++) await tell(beta, { subject: `encrypt ${i}` });
    await expect(tell(beta, { subject: 'one more' })).rejects.toMatchObject({ code: 'too-large' });
    // Nor is the run held up by it.
    await workUntil(sites, async () => (await coordinator.run(run)).state !== 'awaiting-approval');
    expect((await coordinator.run(run)).whatToDo).not.toContain('refuses');
  });
});
