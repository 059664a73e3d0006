import { parseDocument } from 'yaml';
import { z } from 'zod';
import { AgentError } from '../agent.error.js';
import { type Policy, policySchema } from './policy.schema.js';

const LONGEST_POLICY = 100_000;

/**
 * Reads a policy file whole or not at all: nothing that a person wrote is ever left out, and an empty file is not "no policy".
 * @param file its name, for messages
 * @throws AgentError 'policy-invalid' naming every value that is refused
 */
export function parsePolicy(text: string, file: string): Policy {
  if (text.length > LONGEST_POLICY) throw refuse(file, `it has ${text.length} characters; at most ${LONGEST_POLICY} are read`);
  const document = parseDocument(text);
  const trouble = document.errors[0] ?? document.warnings[0];
  if (trouble !== undefined) {
    const line = trouble.linePos === undefined ? '' : `line ${trouble.linePos[0].line}: `;
    throw refuse(file, `${line}this is not YAML: ${trouble.message.split('\n')[0] ?? ''}`);
  }
  const value = valueOf(document, file);
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw refuse(file, 'it is empty or no map of keys. Start it with "schema: 1"; to serve without a policy, remove the file');
  const parsed = policySchema.safeParse(value, { reportInput: true });
  if (!parsed.success) throw refuse(file, parsed.error.issues.map(describe).join('; '));
  const { rules } = parsed.data;
  if (rules.onlySites !== undefined && rules.exactSites !== undefined)
    throw refuse(file, 'rules.onlySites and rules.exactSites are both there; keep one of them');
  return parsed.data;
}

/** No aliases: a few lines of them expand to gigabytes, and a policy needs none. */
function valueOf(document: ReturnType<typeof parseDocument>, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    throw refuse(file, `this is not read: ${(error as Error).message}`);
  }
}

function describe(issue: z.core.$ZodIssue): string {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') return path === '' ? issue.message : `${path}: ${issue.message}`;
  if (issue.input === undefined) return `${path} is missing; it ${issue.message}`;
  const shown = JSON.stringify(issue.input);
  return `${path} = ${shown.length > 80 ? `${shown.slice(0, 77)}...` : shown} ${issue.message}`;
}

function refuse(file: string, reason: string): AgentError {
  return new AgentError(
    'policy-invalid',
    `The policy file ${file} cannot be used: ${reason}. Until it is put right, this site does nothing. Check it with: coferment-agent policy check ${file}`,
  );
}
