import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { ConsortiumError } from '../errors/index.js';
import { featureColumns } from './feature.columns.js';
import { DERIVED_COLUMNS, type Plan, planSchema, suggestion } from './plan.schema.js';
import { refuseUnbuilt } from './unbuilt.rule.js';
import { VARIABLE_NAMES } from './variables.js';

/** A plan is a page of text; anything longer is an attack or a mistake, and is refused before it is parsed. */
const LONGEST_TEXT = 65_536;

const refuse = (message: string, cause?: unknown): never => {
  throw new ConsortiumError('invalid-plan', message, { cause });
};

function readDocument(text: string): unknown {
  if (text.length > LONGEST_TEXT) refuse(`the plan has ${text.length} characters; at most ${LONGEST_TEXT} are read`);
  try {
    // No aliases: a few lines of them expand to gigabytes, and a plan needs none.
    return parseYaml(text, { maxAliasCount: 0, prettyErrors: true });
  } catch (cause) {
    return refuse(`the plan is not readable YAML: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  }
}

function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 77)}...` : json;
}

function describe(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.') || 'the plan';
  if (issue.code === 'unrecognized_keys') return `${path}: ${issue.message}`;
  if (issue.input === undefined) return `${path} is missing; it ${issue.message}`;
  return `${path} = ${shown(issue.input)} ${issue.message}`;
}

function refuseRepeats(path: string, names: readonly string[]): void {
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) refuse(`${path} names "${repeated}" twice; keep one of them`);
}

/** Rules between sections, which the shape of one section cannot say. */
function checkTogether(plan: Plan): void {
  refuseRepeats('sample.of', plan.sample.of);
  refuseRepeats('sample.summarise', plan.sample.summarise);
  if (plan.sample.of.includes(plan.target.variable)) {
    refuse(
      `sample.of contains the target "${plan.target.variable}": a model would be given the answer as an input. Take it out of sample.of`,
    );
  }
  for (const [name, [low, high]] of Object.entries(plan.sample.ranges)) {
    const known = [...VARIABLE_NAMES, ...DERIVED_COLUMNS];
    if (!known.includes(name)) refuse(`sample.ranges names "${name}", which is no variable; ${suggestion(name, known)}`);
    if (!(low < high)) refuse(`sample.ranges.${name} = [${low}, ${high}] is empty; the first number must be below the second`);
  }
  const { keyHolders, threshold } = plan.privacy;
  if (keyHolders !== null && threshold !== null && threshold > keyHolders) {
    refuse(`privacy.threshold = ${threshold} is above privacy.keyHolders = ${keyHolders}; it must be at most the number of key holders`);
  }
  featureColumns(plan);
}

/**
 * Reads a plan (YAML text, or a document already parsed), writes in every default and checks it whole. Its canonical bytes parse to an equal plan.
 * @throws ConsortiumError 'invalid-plan' naming every refused value and what is allowed; 'not-built-yet' for parts of the format this version lacks.
 */
export function parsePlan(source: unknown): Plan {
  const document = typeof source === 'string' ? readDocument(source) : source;
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    return refuse(`a plan is a map of keys, not ${shown(document)}; start it with "schema: 1"`);
  }
  refuseUnbuilt(document);
  const result = z.safeParse(planSchema, document, { reportInput: true });
  if (!result.success) return refuse(result.error.issues.map(describe).join('\n'));
  checkTogether(result.data);
  return result.data;
}
