import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type LedgerBenchReport, documentWithLedger, isLedgerReport } from '../bench/src/ledger/ledger.report.js';
import { documentWith } from '../bench/src/report/report.document.js';
import { machineText } from '../bench/src/report/report.cells.js';
import { type BenchReport, reportSchema } from '../bench/src/report/report.schema.js';
import type { CoordinatorRole } from '../bench/src/roles/coordinator.role.js';
import { RoleProcess } from '../bench/src/roles/role.channel.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);
const built = (file: string): string => join(root, 'test/bench/dist', file);
const npm = (args: string[]) =>
  run('npm', ['run', '--silent', 'bench', '--', ...args], { cwd: root, env: { ...process.env, INIT_CWD: root } });

/** The names that other programs read, written down here a second time: renaming one in the bench must fail. */
const promised = z.object({
  machine: z.object({ cpu: z.string(), cores: z.number(), node: z.string() }),
  perBlock: z.object({ values: z.number(), encryptMs: z.number(), shareMs: z.number(), combineMs: z.number(), dealMsPerSite: z.number() }),
  sum: z.object({ megabytesPerSecond: z.number() }),
  cases: z.array(
    z.object({
      parameters: z.number(),
      sites: z.number(),
      keyHolders: z.number(),
      threshold: z.number(),
      parameterSet: z.literal('STANDARD'),
      bytesPerParameter: z.number(),
      encryptedMs: z.number(),
      plaintextMs: z.number(),
      ratio: z.number(),
      totalCpuMs: z.number(),
      coordinatorPeakMemoryMB: z.number(),
      coordinatorIdleMemoryMB: z.number(),
    }),
  ),
});

describe('the benchmark, on a tiny case', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coferment-bench-report-'));
  const out = join(folder, 'bench.json');
  let report: BenchReport;

  beforeAll(async () => {
    const { stdout, stderr } = await npm(['--case', '2000x3x3', '--runs', '1', '--out', out, '--folder', folder, '--json']);
    report = reportSchema.parse(JSON.parse(stdout));
    expect(stderr).toContain('[1/1] 2,000 parameters × 3 sites × 3 key holders');
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('writes and prints one report, with the names that other programs read', () => {
    expect(JSON.parse(readFileSync(out, 'utf8'))).toEqual(report);
    expect(promised.safeParse(report).error).toBeUndefined();
  });

  it('measures the case it was asked for', () => {
    expect(report.extent).toBe('chosen');
    expect(report.cases).toHaveLength(1);
    const [measured] = report.cases;
    expect(measured).toMatchObject({ parameters: 2000, sites: 3, keyHolders: 3, threshold: 3, blocks: 1, runs: 1 });
    expect(measured!.ratio).toBeCloseTo(measured!.encryptedMs / measured!.plaintextMs, 1);
    // Bytes do not depend on the machine: 668 coefficients in use, and what TLS, HTTP/2 and a signed statement add.
    expect(measured!.bytesPerParameter).toBeGreaterThan(2.5);
    expect(measured!.bytesPerParameter).toBeLessThan(5);
    expect(measured!.coordinatorPeakMemoryMB).toBeGreaterThan(measured!.coordinatorIdleMemoryMB / 2);
  });

  it('leaves nothing but the report', () => {
    expect(readdirSync(folder)).toEqual(['bench.json']);
  });

  it('leaves a valid report of the cases it measured when it is interrupted', async () => {
    const within = mkdtempSync(join(tmpdir(), 'coferment-bench-interrupted-'));
    const kept = join(within, 'reports', 'bench.json');
    // The second case takes minutes; a group of its own, because Ctrl-C reaches the roles as well.
    const args = ['--case', '2000x3x3', '--case', '10000000x100x7', '--runs', '1', '--out', kept, '--folder', within];
    const bench = spawn(process.execPath, ['--no-warnings', built('main.js'), ...args], {
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    try {
      let said = '';
      const interrupt = setInterval(() => {
        if (!said.includes('[2/2]')) return;
        clearInterval(interrupt);
        process.kill(-bench.pid!, 'SIGINT');
      }, 200);
      bench.stderr.on('data', (chunk: Buffer) => void (said += chunk.toString()));
      const [code] = (await once(bench, 'close')) as [number | null];
      clearInterval(interrupt);
      expect(code).toBe(130);
      expect(said).toContain(`the report is in ${kept}, unfinished: 1 of 2 cases`);
      const partial = reportSchema.parse(JSON.parse(readFileSync(kept, 'utf8')));
      expect(promised.safeParse(partial).error).toBeUndefined();
      expect(partial.unfinished).toEqual({ casesMeasured: 1, casesAsked: 2 });
      expect(partial.cases.map(({ parameters }) => parameters)).toEqual([2000]);
      expect(machineText(partial)).toContain('unfinished: 1 of 2 cases');
      expect([readdirSync(within), readdirSync(join(within, 'reports'))]).toEqual([['reports'], ['bench.json']]);
    } finally {
      bench.kill('SIGKILL');
      rmSync(within, { recursive: true, force: true });
    }
  });

  it('says in a finished report nothing of an unfinished one, nor of cases measured once', () => {
    expect(report).not.toHaveProperty('unfinished');
    expect(report.cases[0]).not.toHaveProperty('measuredOnce');
  });

  it('does not wait for a party whose process is gone', async () => {
    const role = new RoleProcess<CoordinatorRole>('coordinator', pathToFileURL(built('roles/coordinator.role.js')).href);
    const underWay = role.call('start', { folder: join(folder, 'never') });
    const needed = role.whileAlive(new Promise(() => {}));
    const outcomes = Promise.allSettled([underWay, needed]);
    await role.stop();
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { message: expect.stringContaining('coordinator ended (SIGKILL)') } });
    await expect(role.call('cpuMs')).rejects.toThrow('coordinator ended (SIGKILL)');
    await expect(role.whileAlive(new Promise(() => {}))).rejects.toThrow('coordinator ended');
    await role.stop();
  });

  it('puts its figures where the document wants them, and leaves the rest of it', () => {
    const before = 'Intro.\n<!-- figures: bytes -->\nold\n<!-- end of figures -->\nOutro.\n';
    const after = documentWith(before, report);
    expect(after).toMatch(/^Intro\.\n<!-- figures: bytes -->\n\| parameters \|/);
    expect(after).toMatch(/<!-- end of figures -->\nOutro\.\n$/);
    expect(after).not.toContain('old');
    expect(documentWith(after, report)).toBe(after);
    expect(() => documentWith('<!-- figures: nonsense -->\n<!-- end of figures -->', report)).toThrow('nonsense');
    expect(() => documentWith('no marks', report)).toThrow('figures');
  });

  it('wrote every table of the performance document, from the report beside it', () => {
    const read = (name: string) => readFileSync(join(root, 'docs', name), 'utf8');
    const document = read('performance.md');
    expect(documentWith(document, reportSchema.parse(JSON.parse(read('performance.json'))))).toBe(document);
    expect(document.match(/<!-- figures: /g)).toHaveLength(document.match(/<!-- end of figures -->/g)!.length);
  });

  it('wrote every table of the ledger into it, from the report beside it', () => {
    const read = (name: string) => readFileSync(join(root, 'docs', name), 'utf8');
    const document = read('performance.md');
    const measured: unknown = JSON.parse(read('performance-ledger.json'));
    expect(isLedgerReport(measured)).toBe(true);
    expect(documentWithLedger(document, measured as LedgerBenchReport)).toBe(document);
    expect(document.match(/<!-- ledger figures: /g)).toHaveLength(document.match(/<!-- end of ledger figures -->/g)!.length);
  });

  it.each([
    [['--case', '10x2x2'], '10x2x2'],
    [['--quick', '--full'], 'exclude'],
    [['--runs', '0'], '--runs'],
    [['--slow'], '--slow'],
    [['--out', '/dev/null'], '/dev/null'],
  ])('refuses %j', async (args, named) => {
    await expect(npm(args)).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(named) });
  });
});
