import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parsePolicy } from './policy.parser.js';
import { FILE_RULES, HARD_RULE, NO_POLICY } from './policy.schema.js';

const read = (text: string) => parsePolicy(text, 'policy.yaml');

describe('a policy file that cannot be used', () => {
  it.each([
    ['', 'empty or no map'],
    ['# schema: 1', 'empty or no map'],
    ['null', 'empty or no map'],
    ['- schema: 1', 'empty or no map'],
    ['schema: 2', 'schema = 2 must be 1'],
    ['rules: {}', 'schema is missing; it must be 1'],
    ['schema: 1\nrule: {}', 'unknown key "rule"; did you mean "rules"?'],
    ['schema: 1\nrules: { minContributor: 5 }', 'unknown key "minContributor"; did you mean "minContributors"?'],
    ['schema: 1\nrules: { encryption: off }', 'is not an option: nothing leaves this site without encryption'],
    ['schema: 1\nencryption: false', 'is not an option'],
    ['schema: 1\nrules: { minContributors: 2 }', 'rules.minContributors = 2 must be a whole number from 3'],
    ['schema: 1\nrules: { minContributors: "5" }', 'must be a whole number'],
    ['schema: 1\nrules: { minContributors: 4.5 }', 'must be a whole number'],
    ['schema: 1\nrules: { minContributors: .nan }', 'must be a whole number'],
    ['schema: 1\nrules: { variables: [temprature] }', 'is no variable of the standard; did you mean "temperature"?'],
    ['schema: 1\nrules: { variables: [] }', 'must be a list of 1 to'],
    ['schema: 1\nrules: { variables: [ph, ph] }', 'each once'],
    ['schema: 1\nrules: { onlySites: [Alder] }', 'lower-case letters'],
    ['schema: 1\nrules: { onlySites: [alder], exactSites: [alder] }', 'keep one of them'],
    ['schema: 1\nrules: { changedSites: approve }', 'must be ask or refuse'],
    ['schema: 1\nnewSets: approve', 'must be ask or refuse: no file approves another set'],
    ['schema: 1\nrules: { privacyBudget: 0 }', 'must be above 0'],
    ['schema: 1\nwhenAllHold: yes', 'must be approve or ask'],
    ['schema: 1\ntellReasons: "no"', 'must be true or false'],
    ['schema: 1\nschedule: {}', 'schedule.trainBetween is missing; it must be two local times'],
    ['schema: 1\nschedule: night', 'must be a section with the keys trainBetween, timeZone'],
    ['schema: 1\nschedule: { trainBetween: ["20:00", "06:00"] }', 'schedule.timeZone is missing; it must be a time zone'],
    ['schema: 1\nschedule: { trainBetween: ["20:00", "06:00"], timeZone: CEST+1 }', 'is no time zone'],
    ['schema: 1\nschedule: { trainBetween: ["20:00", "06:00"], timeZone: "" }', 'is no time zone'],
    ['schema: 1\nschedule: { trainBetween: ["20:00", "06:00"], timezone: UTC }', 'unknown key "timezone"; did you mean "timeZone"?'],
    ['schema: 1\nschedule: { trainBetween: ["20:00", "20:00"], timeZone: UTC }', 'the same time twice'],
    ['schema: 1\nschedule: { trainBetween: ["20:00"], timeZone: UTC }', 'must be two local times'],
    ['schema: 1\nschedule: { trainBetween: ["20:00", "06:00", "08:00"], timeZone: UTC }', 'must be two local times'],
    ['schema: 1\nschedule: { trainBetween: ["20:00", "24:00"], timeZone: UTC }', 'from "00:00" to "23:59"'],
    ['schema: 1\nschedule: { trainBetween: ["20:00", "6:00"], timeZone: UTC }', 'two digits each'],
    ['schema: 1\nschedule: { trainBetween: ["8 pm", "06:00"], timeZone: UTC }', 'from "00:00" to "23:59"'],
    ['schema: 1\nschedule: { trainBetween: [20, 6], timeZone: UTC }', 'must be a local time such as "20:00"'],
    ['schema: 1\nschedule: { trainBetween: "20:00-06:00", timeZone: UTC }', 'must be two local times'],
    ['schema: 1\nrules: { minSites: 3, minSites: 9 }', 'this is not YAML'],
    ['schema: 1\nrules: {', 'this is not YAML'],
    ['schema: 1\nrules: &a { minSites: 3 }\nwhenAllHold: *a', 'this is not read'],
    [`schema: 1\n#${'x'.repeat(100_000)}`, 'at most 100000 are read'],
  ])('is refused whole: %j', (text, expected) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'policy-invalid', message: expect.stringContaining(expected) }));
    expect(() => read(text)).toThrow(/this site does nothing.*coferment-agent policy check policy.yaml/s);
  });

  it('names everything that is wrong at once', () => {
    expect(() => read('schema: 1\nrules: { minSites: 1, threshold: 1 }')).toThrow(/rules.threshold = 1 .*rules.minSites = 1 /s);
  });
});

it('reads the example of the documentation, which names every rule', () => {
  const page = readFileSync(join(import.meta.dirname, '../../../docs/policy-file.md'), 'utf8');
  const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  expect(Object.keys(read(example).rules).length).toBeGreaterThan(10);
  for (const rule of [HARD_RULE, ...FILE_RULES]) expect(page).toContain(`| \`${rule}\` |`);
});

it('asks a person for everything when no rule is written', () => {
  expect(read('schema: 1')).toEqual(NO_POLICY);
  expect(NO_POLICY).toEqual({ schema: 1, whenAllHold: 'ask', tellReasons: true, newSets: 'ask', rules: { changedSites: 'ask' } });
});
