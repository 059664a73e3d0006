import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AGENT, AUDITOR, COORDINATOR, DEMO, runCommand } from './command.runner.js';

/** A Node on this machine that is too old to run the programs itself. */
function olderNode(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'node'))
    .find((node) => existsSync(node) && Number(execFileSync(node, ['--version'], { encoding: 'utf8' }).slice(1).split('.')[0]) < 24);
}

const node = olderNode();

describe.skipIf(node === undefined)(`a command started directly under ${node ?? 'an older Node (none on this machine: skipped)'}`, () => {
  it.each([
    ['coferment', COORDINATOR],
    ['coferment-agent', AGENT],
    ['coferment-audit', AUDITOR],
    ['coferment-demo', DEMO],
  ])('%s goes on under the pinned Node', async (name, script) => {
    const help = await runCommand(script, ['--help'], { node: node!, nodeArguments: [] });
    expect(help).toMatchObject({ code: 0, stderr: '' });
    expect(help.stdout).toContain(`Usage: ${name}`);
  });

  it('passes arguments and exit codes on', async () => {
    const wrong = await runCommand(AGENT, ['no-such-command'], { node: node!, nodeArguments: [] });
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain('no-such-command');
  });
});
