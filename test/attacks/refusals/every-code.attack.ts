/*
 * Every refusal has a code of its own, and every code a test that meets it. Codes are read from the closed unions of the packages and looked for, quoted, in
 * the expectations of all tests; one that no test expects is listed.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

/** The members of a union of string literals, or of a constant list of them, without what its comments quote. */
function codesOf(file: string, name: string): string[] {
  const source = read(file)
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/\/\/.*$/gm, '');
  const [, members = ''] = new RegExp(`${name} =([^;]*?)(?:;|as const)`).exec(source) ?? [];
  return [...members.matchAll(/'([a-z0-9-]+)'/g)].map(([, code]) => code!);
}

const unions = [
  ['site', 'client-agent/src/agent.error.ts', 'AgentErrorCode'],
  ['shared protocol', 'consortium/src/errors/consortium.error.ts', 'protocolRefusals'],
  ['shared rules', 'consortium/src/errors/consortium.error.ts', 'ConsortiumErrorCode'],
  ['cryptography', 'crypto/src/crypto.error.ts', 'CryptoErrorCode'],
  ['coordinator', 'coordinator/src/errors/coordinator.error.ts', 'CoordinatorErrorCode'],
] as const;

const tests = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.spec.ts', '*.medium.ts', '*.attack.ts', '*.e2e.ts', '*.fuzz.ts'],
  {
    cwd: root,
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter((file) => file !== '' && !file.endsWith('every-code.attack.ts'))
  .flatMap((file) => {
    try {
      return [read(file)];
    } catch {
      return [];
    }
  });

/** Quoted, or a branch of a pattern: as an expectation has it, not as prose in a title does. */
const expected = (code: string): boolean => tests.some((text) => text.includes(`'${code}'`) || new RegExp(`[/|(]${code}[/|)]`).test(text));

describe.each(unions)('the refusals of the %s', (_whose, file, name) => {
  const codes = codesOf(file, name);

  it('are a closed list', () => {
    expect(codes.length).toBeGreaterThan(4);
    expect(new Set(codes).size).toBe(codes.length);
  });

  it('are each met by a test', () => {
    expect(codes.filter((code) => !expected(code))).toEqual([]);
  });
});
