import { MAX_KEY_HOLDERS, MAX_SITES, siteIdSchema, VARIABLES } from '@coferment/consortium';
import { IANAZone } from 'luxon';
import { z } from 'zod';
import { nearestName } from '../data/nearest-name.js';

/**
 * The policy file: standing rules of ONE site about which plans may use its data. It stays at the site. Every object is strict: a misspelt rule is an
 * error that names the nearest known one, never a rule that silently does not hold.
 */

/** Not in the file: a rule that can be left out or set otherwise is none. */
export const HARD_RULE = 'encryption';

const TASKS = ['regression', 'binary', 'multiclass', 'forecast'] as const;
const MODELS = ['linear', 'mlp'] as const;
const WEIGHTINGS = ['samples', 'equal'] as const;

const section = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape, {
    error: (issue) => {
      const known = Object.keys(shape);
      if (issue.code !== 'unrecognized_keys') return `must be a section with the keys ${known.join(', ')}`;
      return issue.keys.map((key) => unknownKey(key, known)).join('; ');
    },
  });

function unknownKey(key: string, known: readonly string[]): string {
  if (key === HARD_RULE) return `"${key}" is not an option: nothing leaves this site without encryption, whatever a file says. Remove it`;
  const nearest = nearestName(key, known);
  return `unknown key "${key}"; ${nearest === undefined ? '' : `did you mean "${nearest}"? `}Known here: ${known.join(', ')}`;
}

const wordsError = (names: readonly string[], what: string) => (issue: { input?: unknown }) => {
  const nearest = typeof issue.input === 'string' ? nearestName(issue.input, names) : undefined;
  return `is no ${what}; ${nearest === undefined ? '' : `did you mean "${nearest}"? `}Known: ${names.join(', ')}`;
};
const word = <const T extends readonly [string, ...string[]]>(names: T, what: string) => z.enum(names, { error: wordsError(names, what) });
const set = <T extends z.ZodType<string>>(item: T, most: number, what: string) => {
  const error = `must be a list of 1 to ${most} ${what}, each once`;
  return z
    .array(item, { error })
    .min(1, { error })
    .max(most, { error })
    .refine((names) => new Set(names).size === names.length, { error });
};
const whole = (low: number, high: number) => {
  const error = `must be a whole number from ${low} to ${high}`;
  return z.int({ error }).min(low, { error }).max(high, { error });
};

const names = VARIABLES.map(({ name }) => name) as [string, ...string[]];
const variables = set(word(names, 'variable of the standard'), names.length, 'variables');
const sites = set(siteIdSchema, MAX_SITES, 'site names');

/** In the order in which they are shown. Each is a rule of this name; one that is left out is not in force. */
const ruleShape = {
  /** The only variables that a plan may use, as inputs or as what is predicted. */
  variables: variables.optional(),
  tasks: set(word(TASKS, 'task'), TASKS.length, 'tasks').optional(),
  models: set(word(MODELS, 'kind of model'), MODELS.length, 'kinds of models').optional(),
  maxParameters: whole(1, 1_000_000_000).optional(),
  weighting: set(word(WEIGHTINGS, 'weighting'), WEIGHTINGS.length, 'weightings').optional(),
  minContributors: whole(3, MAX_SITES).optional(),
  threshold: whole(2, MAX_KEY_HOLDERS).optional(),
  collusionBound: whole(1, MAX_SITES).optional(),
  minSites: whole(3, MAX_SITES).optional(),
  onlySites: sites.optional(),
  exactSites: sites.optional(),
  /** What a site list other than that of the last approved run means. */
  changedSites: z.enum(['ask', 'refuse'], { error: 'must be ask or refuse' }).default('ask'),
  roundsPerRun: whole(1, 10_000).optional(),
  roundsPerMonth: whole(0, 1_000_000).optional(),
  /** Total ε over all runs of this site. */
  privacyBudget: z
    .number({ error: 'must be a number above 0: the total epsilon' })
    .gt(0, 'must be above 0')
    .max(1000, 'must be at most 1000')
    .optional(),
};

const localTime = z
  .string({ error: 'must be a local time such as "20:00"' })
  .regex(/^(?:[01]\d|2[0-3]):[0-5]\d$/, 'must be a local time from "00:00" to "23:59", with two digits each');

/** When this site computes: not a rule about plans, so it refuses nothing and nobody is asked. */
const scheduleShape = {
  /** From the first to the second, over midnight where the second is earlier. */
  trainBetween: z
    .tuple([localTime, localTime], { error: 'must be two local times, such as ["20:00", "06:00"]' })
    .refine(([from, to]) => from !== to, { error: 'has the same time twice. To train at any time, remove the schedule' }),
  /** Written out: a service or a container seldom runs in the zone of the people at the site. */
  timeZone: z
    .string({ error: 'must be a time zone of the IANA list, such as Europe/Vienna' })
    .refine((zone) => IANAZone.isValidZone(zone), { error: 'is no time zone. Write it as in the IANA list, such as Europe/Vienna' }),
};

export const policySchema = section({
  schema: z.literal(1, { error: 'must be 1, the only version of the policy format so far' }),
  /** Whether a plan that every rule approves still waits for a person. */
  whenAllHold: z.enum(['approve', 'ask'], { error: 'must be approve or ask' }).default('ask'),
  /** Whether the operator is told why this site refused, or only by which rule. */
  tellReasons: z.boolean({ error: 'must be true or false' }).default(true),
  /** Another set for a sum that cannot complete lets others read the difference of two sums: a person decides, or nobody may. */
  newSets: z.enum(['ask', 'refuse'], { error: 'must be ask or refuse: no file approves another set' }).default('ask'),
  rules: section(ruleShape).prefault({}),
  schedule: section(scheduleShape).optional(),
});

export type Policy = z.output<typeof policySchema>;
export type TrainingSchedule = NonNullable<Policy['schedule']>;
export type PolicyRules = Policy['rules'];
export type RuleName = keyof PolicyRules | typeof HARD_RULE;

/** In the order of the file format. */
export const FILE_RULES = Object.keys(ruleShape) as (keyof PolicyRules)[];

/** What holds at a site without a policy file: every run of a plan waits for a person. */
export const NO_POLICY: Policy = policySchema.parse({ schema: 1 });
