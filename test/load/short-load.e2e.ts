import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { ruleFaults } from './src/load.rules.js';
import { type LoadReport, loadReportSchema } from './src/load.schema.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const load = (...words: string[]) =>
  run('npm', ['run', '--silent', 'load', '--', ...words], { cwd: root, env: { ...process.env, INIT_CWD: root } });

/** What is asserted are the rules and never the time. The long version is the load of docs/performance.md. */
describe.runIf(process.env['RELIABILITY_FULL'] === '1')('a load of eight agents', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coferment-load-test-'));
  const out = join(folder, 'load.json');
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('closes all its rounds by their rules while agents drop', async () => {
    const { stderr } = await load('--agents', '8', '--rounds', '3', '--drop', '0.25', '--seed', '2', '--out', out);
    const report: LoadReport = loadReportSchema.parse(JSON.parse(readFileSync(out, 'utf8')));
    expect(ruleFaults(report)).toEqual([]);
    expect(report.rounds.map(({ dropped }) => dropped.length)).toEqual([2, 2, 2]);
    expect(report.coordinator.samples.length).toBeGreaterThan(0);
    expect(stderr).toContain('seed 2');
  });

  it('is refused with the word that was wrong, before anything starts', async () => {
    await expect(load('--agents', '3')).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--agents must be a whole number'),
    });
  });
});
