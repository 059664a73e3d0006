import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AGENT_ROUND_TABLE, ROUND_TABLE, RUN_TABLE } from '@coferment/consortium';
import { parseVkey, policyOfLogKey, readFolder, verifyExport } from '@coferment/ledger';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { exportLedger } from '../../../coordinator/src/cli/ledger.export.js';
import { Database } from '../../../coordinator/src/persistence/database.js';
import { readCheckpoint } from '../../../coordinator/src/publication/checkpoint.file.js';
import { checkLedger } from '../../../coordinator/src/publication/ledger.check.js';
import { LedgerRepository } from '../../../coordinator/src/publication/ledger.repository.js';
import { TileRepository } from '../../../coordinator/src/publication/tile.repository.js';
import { emptyPart, writePart } from '../fault.report.js';
import { violationsOf } from '../invariants/invariants.js';
import { readStores } from '../invariants/stores.reading.js';
import { keepDatabases } from './dropped.coordinator.js';
import { FOUR, PLAYS, UNDISTURBED } from './scenarios.js';
import { movesOf, pointsOf } from './stop.points.js';
import { StopSwitch } from './stop.switch.js';
import { StoppedConsortium } from './stopped.consortium.js';

const LONGEST_MS = 900_000;

const report = emptyPart('matrix');
const agentMoves = movesOf(AGENT_ROUND_TABLE);
report.points.planned = [
  ...pointsOf('coordinator', [...movesOf(RUN_TABLE), ...movesOf(ROUND_TABLE)]),
  ...pointsOf('key holder', agentMoves),
  // Whoever holds no key is never asked for a share.
  ...pointsOf(
    'contributor',
    agentMoves.filter(({ state, event }) => event !== 'release' && state !== 'released'),
  ),
];
const stops = new StopSwitch(new Set(report.points.planned));
/** Of the run in which nothing was stopped. */
let undisturbedModel = '';

async function opened(sites: readonly string[]): Promise<StoppedConsortium> {
  keepDatabases();
  const consortium = await new StoppedConsortium(stops).open(sites);
  consortium.watch();
  return consortium;
}

beforeAll(async () => {
  stops.armed = false;
  const consortium = await opened(FOUR);
  await consortium.launch(UNDISTURBED);
  await consortium.play([]);
  undisturbedModel = consortium.view.run.model;
  await consortium.close();
  vi.restoreAllMocks();
  stops.armed = true;
}, LONGEST_MS);
afterEach(() => vi.restoreAllMocks());
afterAll(() => {
  report.points.covered = [...stops.covered];
  writePart(report);
});

/** Everything that has to hold, in the stores of a consortium whose runs are over. */
async function found(consortium: StoppedConsortium): Promise<string[]> {
  const { coordinator, agents } = consortium;
  const database = coordinator.running.context.get(Database);
  const query = (statement: string) => database.transaction((manager) => manager.query(statement) as Promise<unknown[]>);
  const published = readCheckpoint(join(coordinator.folder, 'checkpoint'), coordinator.running.facts.logVkey);
  const { problems } = await checkLedger({ database, entries: new LedgerRepository(), tiles: new TileRepository() }, published);
  const stores = await readStores({ folder: coordinator.folder, query, agents });
  return [...violationsOf(stores), ...problems.map((problem) => `coferment ledger check: ${problem}`), ...(await audited(consortium))];
}

async function audited({ coordinator }: StoppedConsortium): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'matrix-export-'));
  try {
    const { logVkey } = await exportLedger(coordinator.operator, folder);
    const { verdict, checks } = await verifyExport(readFolder(folder), { policy: policyOfLogKey(parseVkey(logVkey)) });
    const problems = checks.flatMap((check) => check.problems).map((problem) => `coferment-audit verify: ${JSON.stringify(problem)}`);
    return verdict === 'holds' ? [] : [`coferment-audit verify: ${verdict}`, ...problems];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it.each(Object.keys(PLAYS))(
  'stops in the play "%s" leave everything as it has to be',
  async (name) => {
    const { sites, scenarios } = PLAYS[name]!;
    const consortium = await opened(sites);
    for (const { name: scenario, plan, moments, ends } of scenarios) {
      await consortium.launch(plan);
      await consortium.play(moments).catch((cause: unknown) => {
        throw new Error(`"${scenario}" came to no end`, { cause });
      });
      const { state, model } = consortium.view.run;
      expect(state, scenario).toBe(ends);
      if (plan === UNDISTURBED && model !== undisturbedModel)
        report.violations.push(
          `"${scenario}" came to the model ${model}; without faults and with the same sites it is ${undisturbedModel}`,
        );
    }
    report.recoverySeconds.push(...consortium.recoverySeconds);
    const violations = (await found(consortium)).map((violation) => `${name}: ${violation}`);
    report.violations.push(...violations);
    await consortium.close();
    expect(violations).toEqual([]);
  },
  LONGEST_MS,
);

it('every move of every table was stopped at, before and after', () => {
  expect(report.points.planned.filter((point) => !stops.covered.has(point))).toEqual([]);
});
