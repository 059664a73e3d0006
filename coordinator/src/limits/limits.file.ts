import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { CoordinatorError } from '../errors/index.js';
import { type Limits, limitsSchema } from './coordinator.limits.js';

/** A page of numbers. */
const LONGEST_TEXT = 16_384;

/**
 * The operator's own limits, as YAML; what is left out is as usual.
 * @throws CoordinatorError 'malformed' naming the line, 'folder-unusable' when the file cannot be read
 */
export function readLimits(path: string): Limits {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CoordinatorError('folder-unusable', `The limits cannot be read from ${path}: ${(cause as Error).message}.`, { cause });
  }
  return parseLimits(text);
}

/** @throws CoordinatorError 'malformed' */
export function parseLimits(text: string): Limits {
  if (text.length > LONGEST_TEXT) throw refused(`it has ${text.length} characters; at most ${LONGEST_TEXT} are read`);
  const checked = limitsSchema.safeParse(readYaml(text) ?? {});
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw refused(`${issue?.path.map(String).join('.') || 'the file'}: ${issue?.message ?? 'is not understood'}`);
}

function readYaml(text: string): unknown {
  try {
    // No aliases: a few lines of them expand to gigabytes, and limits need none.
    return parse(text, { maxAliasCount: 0 });
  } catch (cause) {
    throw refused(`it is not readable YAML (${(cause as Error).message.split('\n')[0] ?? ''})`, cause);
  }
}

function refused(reason: string, cause?: unknown): CoordinatorError {
  return new CoordinatorError('malformed', `The file of limits is refused: ${reason}. docs/limits.md lists every limit.`, { cause });
}
