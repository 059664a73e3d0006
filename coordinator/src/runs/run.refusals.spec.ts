import type { Predicate, Statement } from '@coferment/consortium';
import { beforeEach, describe, expect, it } from 'vitest';
import { runStatus } from '../operator/run.status.js';
import { give, giveNonce, runningView, storedRun } from '../testing/run-view.fixture.js';
import { admitRefusal, MOST_REFUSALS, refusalsOf, textOfRefusal } from './run.refusals.js';
import type { RunView } from './run.view.js';
import { waitingOf } from './run.waiting.js';

const refused = (view: RunView, change: Partial<Predicate<'instruction-refused'>> = {}): Statement<'instruction-refused'> => {
  const said = { site: 'alpha', subject: 'plan 1', rule: 'minContributors', reason: 'plan has 3, floor is 5', ...change };
  return { name: 'instruction-refused', predicate: { consortium: 'unit', run: view.run.run, ...said }, digest: '' };
};
const tell = (view: RunView, change: Partial<Predicate<'instruction-refused'>> = {}, receivedMs = 0) => {
  const statement = refused(view, change);
  give(view, 'instruction-refused', statement.predicate.site, admitRefusal(view, statement), statement.predicate, receivedMs);
};
const declined = (view: RunView, site: string, reason: Predicate<'attempt-declined'>['reason']) => {
  const { run, sum, kind } = view.rounds[0]!;
  const e = view.epoch.e!;
  give(view, 'attempt-declined', site, `${sum}/1`, { consortium: 'unit', run, e, kind, sum, attempt: 1, site, reason });
};

let view: RunView;
beforeEach(() => (view = storedRun()));

describe('refusals that a site tells', () => {
  it('are bounded for each site and run, whatever it names them', () => {
    for (let i = 0; i < MOST_REFUSALS; i++) tell(view, { subject: `encrypt ${i}` });
    const more = () => admitRefusal(view, refused(view, { subject: 'one more' }));
    expect(more).toThrow(expect.objectContaining({ code: 'too-large', message: expect.stringContaining(`${MOST_REFUSALS} refusals`) }));
    // What is known is no more, and others are not held up.
    expect(admitRefusal(view, refused(view, { subject: 'encrypt 7' }))).toBe('encrypt 7/minContributors');
    expect(admitRefusal(view, refused(view, { site: 'beta', subject: 'one more' }))).toBe('one more/minContributors');
  });

  it('are shown without anything that could write to a terminal', () => {
    tell(view, { subject: 'plan\u001b[2J 1', rule: 'a\u009bb', reason: 'x\ny\u202e' }, 7);
    expect(refusalsOf(view)).toEqual([{ site: 'alpha', subject: 'plan [2J 1', rule: 'a b', reason: 'x y ', timeMs: 7 }]);
    expect(runStatus(view).refusals).toEqual(refusalsOf(view));
    // oxlint-disable-next-line no-control-regex -- what must not be there
    expect(textOfRefusal(refused(view, { reason: '\u001b]0;x\u0007' }))).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
  });

  it('are named where the run waits for the site, with rule and reason, before what to do', () => {
    tell(view);
    tell(view, { site: 'beta', rule: 'person', reason: '' });
    expect(waitingOf(view)).toMatchObject({
      waitingFor: ['alpha', 'beta', 'gamma', 'zeta'],
      whatToDo: expect.stringMatching(
        /^alpha refuses plan 1: rule minContributors: plan has 3, floor is 5\. beta refuses plan 1: rule person\. Each of these sites approves/,
      ),
    });
  });

  it('are not named once the site has done it, nor where the run waits for something else', () => {
    tell(view);
    tell(view, { subject: 'approveRoster 1', rule: 'threshold' });
    const { plan, run, ordinal, sites } = view.run;
    give(view, 'plan-approved', 'alpha', '', { consortium: 'unit', site: 'alpha', plan, ordinal, sites });
    expect(waitingOf(view).whatToDo).not.toContain('refuses');
    expect(refusalsOf(view)).toHaveLength(2);
    expect(run).toBe(view.run.run);
  });

  it('of a site that has left the key epoch are not named: what to do about it is', () => {
    view = runningView();
    tell(view, { subject: 'rounds', rule: 'epoch-dead', reason: '' });
    tell(view, { site: 'beta', subject: 'rounds', rule: 'person', reason: '' });
    give(view, 'epoch-left', 'alpha', '1', { consortium: 'unit', run: view.run.run, epoch: 1, site: 'alpha', reason: 'restored' });
    const { whatToDo } = waitingOf(view);
    expect(whatToDo).not.toContain('alpha refuses');
    expect(whatToDo).toMatch(/beta refuses rounds: rule person\. alpha restored a data folder from a backup .*epochs renew/);
  });

  it('of the rounds are named where too few sites are left, as are sites that withdrew', () => {
    view = runningView();
    tell(view, { subject: 'rounds', rule: 'withdrawn', reason: '' });
    declined(view, 'alpha', 'withdrawn');
    declined(view, 'beta', 'no-data');
    expect(waitingOf(view)).toMatchObject({
      waitingFor: ['gamma', 'zeta'],
      whatToDo: expect.stringMatching(/^alpha refuses rounds: rule withdrawn\. 0 sites are ready; the sum needs 3\./),
    });
    for (const site of ['gamma', 'zeta']) giveNonce(view, site);
    expect(waitingOf(view)).toMatchObject({
      waitingFor: [],
      whatToDo: expect.stringMatching(
        /^alpha refuses rounds: .* 2 sites are ready; the sum needs 3\. .*start a new key epoch: coferment epochs renew/,
      ),
    });
  });
});
