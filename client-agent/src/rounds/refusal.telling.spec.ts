import { ConsortiumError } from '@coferment/consortium';
import { LearningError } from '@coferment/learning';
import { describe, expect, it } from 'vitest';
import { AgentError } from '../agent.error.js';
import { CoordinatorRefusal } from '../connection/coordinator.errors.js';
import { DataError } from '../data/index.js';
import { parsePolicy } from '../policy/policy.parser.js';
import { SiteRefusal } from '../policy/site.refusal.js';
import { tellingOf } from './refusal.telling.js';

const under = (text: string) => ({ policy: { current: () => ({ policy: parsePolicy(text, 'p'), file: 'p', digest: '' }) } });
const told = (error: unknown) => tellingOf(under('schema: 1'), error);
const refusal = new SiteRefusal('policy-refused', 'threshold', 'plan has 3, floor is 4', 'The policy of this site refuses …');

describe('what the operator is told of a refusal', () => {
  it.each<[string, unknown, object | undefined]>([
    ['a rule and its reason', refusal, { rule: 'threshold', reason: 'plan has 3, floor is 4' }],
    [
      'a plan or roster that is wrong, in full',
      new AgentError('roster-sites', 'it is for …'),
      { rule: 'roster-sites', reason: 'it is for …' },
    ],
    ['a shared rule in full', new ConsortiumError('impossible-quorum', 'n is 3'), { rule: 'impossible-quorum', reason: 'n is 3' }],
    // Its text names the number of rows.
    [
      'only the code of what depends on records',
      new AgentError('weight-drowned', 'its weight of 812'),
      { rule: 'weight-drowned', reason: '' },
    ],
    ['only the code of a training that fails', new LearningError('malformed-batch', 'batch B7 …'), { rule: 'malformed-batch', reason: '' }],
    // These name files, lines and cells.
    [
      'nothing of what is wrong with files',
      new DataError('invalid-mapping', 'column "x"', { file: '/data/x.csv' }),
      { rule: 'unexpected', reason: '' },
    ],
    ['nothing of any other failure', Object.assign(new Error('/data/x.csv'), { code: 'ENOENT' }), { rule: 'unexpected', reason: '' }],
    ['nothing at all of its own refusals', new CoordinatorRefusal('not-owed', 'coordinator-refused', 'no'), undefined],
  ])('is %s', (_what, error, expected) => {
    expect(told(error)).toEqual(expected);
  });

  it('is the rule alone where the site says so, or where nobody can tell what it says', () => {
    expect(tellingOf(under('schema: 1\ntellReasons: false'), refusal)).toEqual({ rule: 'threshold', reason: '' });
    expect(tellingOf(under('schema: 2'), refusal)).toEqual({ rule: 'threshold', reason: '' });
  });

  it('fits the wire and a screen', () => {
    expect(told(new SiteRefusal('plan-rejected', 'person', 'x'.repeat(600), ''))?.reason).toHaveLength(500);
    expect(told(new SiteRefusal('plan-rejected', 'person', 'a\u001b[2Jb\nc', ''))?.reason).toBe('a [2Jb c');
  });
});
