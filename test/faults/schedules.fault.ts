import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { emptyPart, writePart } from './fault.report.js';
import { ROUNDS } from './schedules/fault.plans.js';
import { type FaultSchedule, scheduleText } from './schedules/fault.schedule.js';
import { FoundedConsortium } from './schedules/founded.consortium.js';
import { ModelBook, accountFaults } from './schedules/run.account.js';
import { generateSchedule } from './schedules/schedule.generator.js';
import { violationsInEmbedded } from './schedules/stored.violations.js';
import { type Performance, type Prepared, perform, prepareKeys } from './schedules/schedule.performance.js';

/** `npm run test:faults -- --seeds N --first N`: one schedule is played again by its seed alone. */
const SEEDS = Number(process.env['FAULT_SEEDS'] ?? '20');
const FIRST = Number(process.env['FAULT_FIRST'] ?? '1');
const seeds = Array.from({ length: SEEDS }, (_, index) => FIRST + index);

const root = mkdtempSync(join(tmpdir(), 'coferment-schedules-'));
const part = emptyPart('schedules');
const models = new ModelBook();
let founded: FoundedConsortium;
const prepared = new Map<string, Promise<Prepared>>();
// The coordinators of this file have their embedded database.
delete process.env['DATABASE_URL'];
/** Compiled code of all those processes, which would be compiled anew by each. */
process.env['NODE_COMPILE_CACHE'] = join(root, 'compiled');
// Whoever is killed leaves its temporary files behind.
process.env['TMPDIR'] = root;

/** Made when the first schedule needs it. */
function preparedFor({ from, patience }: FaultSchedule): Promise<Prepared> {
  if (from === 'launch') return Promise.resolve({ folders: founded.folders, run: undefined });
  const made = prepared.get(patience) ?? prepareKeys(founded, patience);
  prepared.set(patience, made);
  return made;
}

describe.skipIf(SEEDS === 0)('random schedules of faults on real processes', () => {
  beforeAll(async () => {
    founded = await FoundedConsortium.found(root);
  }, 120_000);
  afterAll(async () => {
    await founded?.close();
    writePart(part);
    // The folders of a violation stay for whoever looks into it.
    if (part.violations.length === 0) rmSync(root, { recursive: true });
  });

  it('a run without faults completes', { timeout: 300_000 }, async () => {
    const schedule: FaultSchedule = { seed: 0, patience: 'waiting', from: 'keys', faults: [] };
    expect(await judge(schedule, await perform(founded, await preparedFor(schedule), schedule, 'reference'))).toEqual([]);
  });

  it.each(seeds)('schedule %i', { timeout: 300_000 }, async (seed) => {
    const schedule = generateSchedule(seed, ROUNDS);
    const performance = await perform(founded, await preparedFor(schedule), schedule, `seed-${seed}`);
    const found = await judge(schedule, performance);
    part.seeds.push(seed);
    part.recoverySeconds.push(...performance.recoveriesMs.map((ms) => ms / 1000));
    if (found.length === 0) {
      rmSync(performance.folders.out, { recursive: true });
      return;
    }
    part.violations.push(...found.map((violation) => `seed ${seed}: ${violation}`));
    throw new Error(
      [...found, scheduleText(schedule), 'what happened:', ...performance.log, `folders: ${performance.folders.out}`].join('\n'),
    );
  });
});

async function judge(schedule: FaultSchedule, { run, folders, faults, tookMs, recoveriesMs, unplayed }: Performance): Promise<string[]> {
  const { seed, patience } = schedule;
  console.log(
    `seed ${seed}: ${run?.state ?? 'no run'} in ${(tookMs / 1000).toFixed(1)} s, ${schedule.faults.length - unplayed} of ${schedule.faults.length} faults played, recoveries ${recoveriesMs.map((ms) => (ms / 1000).toFixed(1)).join(' ')}`,
  );
  const stored = await violationsInEmbedded(folders);
  if (run === undefined) return [...faults, ...stored, 'the run could not be asked about'];
  return [...faults, ...stored, ...accountFaults(run, patience, ROUNDS), ...models.enter(`seed ${seed}`, patience, run)];
}
