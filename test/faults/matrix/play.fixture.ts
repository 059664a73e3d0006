import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AGENT_ROUND_TABLE, ROUND_TABLE, RUN_TABLE } from '@coferment/consortium';
import { parseVkey, policyOfLogKey, readFolder, verifyExport } from '@coferment/ledger';
import { expect, it } from 'vitest';
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
import { restoreMethods } from './replaced.method.js';
import { PLAYS } from './scenarios.js';
import { movesOf, pointsOf } from './stop.points.js';
import { StopSwitch } from './stop.switch.js';
import { StoppedConsortium } from './stopped.consortium.js';

const LONGEST_MS = 900_000;

const agentMoves = movesOf(AGENT_ROUND_TABLE);
const POINTS = [
  ...pointsOf('coordinator', [...movesOf(RUN_TABLE), ...movesOf(ROUND_TABLE)]),
  ...pointsOf('key holder', agentMoves),
  // Whoever holds no key is never asked for a share.
  ...pointsOf(
    'contributor',
    agentMoves.filter(({ state, event }) => event !== 'release' && state !== 'released'),
  ),
];

/** Nobody witnesses the log of a play. */
const WITNESSED: ReadonlySet<string> = new Set(['witnesses', 'charter-witnesses']);

/** Plays it with a stop at every point that it passes, and writes a part of the report. Each play is a file of its own, so that they run beside each other. */
export function testPlay(name: string, { armed = true } = {}): void {
  it(
    armed ? `stops in the play "${name}" leave everything as it has to be` : `the play "${name}" is whole by itself`,
    async () => {
      const report = { ...emptyPart(`matrix-${name}${armed ? '' : '-without-stops'}`), models: [] as { history: string; model: string }[] };
      const stops = new StopSwitch(new Set(POINTS));
      stops.armed = armed;
      report.points.planned = POINTS;
      keepDatabases();
      const { sites, scenarios } = PLAYS[name]!;
      const consortium = await new StoppedConsortium(stops).open(sites);
      consortium.watch();
      try {
        for (const { name: scenario, plan, moments, ends } of scenarios) {
          await consortium.launch(plan);
          await consortium.play(moments).catch((cause: unknown) => {
            throw new Error(`"${scenario}" came to no end`, { cause });
          });
          expect(consortium.view.run.state, scenario).toBe(ends);
          if (ends === 'completed') report.models.push(modelOf(consortium));
        }
        report.violations = (await found(consortium)).map((violation) => `${name}: ${violation}`);
      } finally {
        report.points.covered = [...stops.covered];
        report.recoverySeconds = consortium.recoverySeconds;
        writePart(report);
        await consortium.close();
        restoreMethods();
      }
      expect(report.violations).toEqual([]);
    },
    LONGEST_MS,
  );
}

function modelOf({ view }: StoppedConsortium): { history: string; model: string } {
  const { plan, ordinal, model } = view.run;
  const sums = view.rounds.filter(({ kind, state }) => state === 'closed' && kind !== 'confirm');
  const sets = sums.map(({ kind, round, counted }) => `${kind} ${round} over ${counted.join(', ')}`);
  return { history: `run ${ordinal} of plan ${plan.slice(0, 16)} (${sets.join('; ')})`, model };
}

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
    const { checks } = await verifyExport(readFolder(folder), { policy: policyOfLogKey(parseVkey(logVkey)) });
    const bad = checks.filter(({ id, outcome, optional }) => outcome !== 'holds' && !optional && !WITNESSED.has(id));
    return bad.map(
      ({ id, outcome, detail, problems }) => `coferment-audit verify: ${id} ${outcome}: ${detail} ${JSON.stringify(problems)}`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
