import type { LoadReport } from './load.schema.js';
import { median } from './process.figures.js';

type Cells = readonly (readonly string[])[];

/** First column left, the others right. */
export function markdownTable([heading, ...rows]: Cells): string {
  const line = (row: readonly string[]) => `| ${row.join(' | ')} |`;
  return [line(heading!), line(heading!.map((_, column) => (column === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

export function loadMachineText({ machine, database, agents, roundsAsked, drop, seed, date }: LoadReport): string {
  const { cpu, cores, node, loadBefore, loadAfter } = machine;
  const where = database === 'embedded' ? 'the embedded database' : 'PostgreSQL';
  return `${cpu}, ${cores} cores, Node ${node}, ${where}; ${agents} agents, ${roundsAsked} rounds, ${(drop * 100).toFixed(0)} % dropped in each, seed ${seed}; ${date}. Load average before: ${loadBefore.toFixed(1)}; after: ${loadAfter.toFixed(1)}.`;
}

export function loadCells(report: LoadReport): Cells {
  const { agents, rounds, coordinator, stages, joinSeconds } = report;
  const closed = rounds.filter(({ state }) => state === 'closed');
  const counted = closed.map((round) => round.counted);
  const ofRounds = closed.map(({ seconds }) => seconds);
  const beforeRounds = stages.filter(({ state }) => state !== 'running').reduce((sum, { seconds }) => sum + seconds, 0);
  const cpu = median(closed.map(({ coordinatorCpuSeconds }) => coordinatorCpuSeconds));
  return [
    ['what', 'seen'],
    ['rounds closed', `${closed.length} of ${report.roundsAsked}`],
    ['sites counted in a round, fewest to most', `${Math.min(...counted)} to ${Math.max(...counted)} of ${agents}`],
    ['joining, all sites', `${joinSeconds.toFixed(0)} s`],
    ['from the launch to the first sum of data: approvals, key ceremony', `${beforeRounds.toFixed(0)} s`],
    ['a round, median', `${median(ofRounds).toFixed(1)} s`],
    ['a round, longest', `${Math.max(...ofRounds).toFixed(1)} s`],
    ['processor time of the coordinator, a round, median', `${cpu.toFixed(1)} s`],
    ['processor time of the coordinator before the first round', `${coordinator.ceremonyCpuSeconds.toFixed(0)} s`],
    ['ciphertext of one site', `${median(closed.map(({ uploadBytes }) => uploadBytes))} bytes`],
    ['resident memory of the coordinator, second quarter of the rounds', `${coordinator.rssMB.secondQuarter.toFixed(0)} MB`],
    ['the same, last quarter', `${coordinator.rssMB.lastQuarter.toFixed(0)} MB`],
    ['last quarter against second', `${coordinator.rssMB.ratio.toFixed(2)} ×`],
    ['its log at the end', `${(coordinator.logBytes / 1e3).toFixed(0)} kB`],
    ['entries of the ledger at the end', report.ledgerEntries.toLocaleString('en-GB')],
  ];
}

/** Median seconds of the rounds in each state. */
export function loadPhaseCells({ rounds }: LoadReport): Cells {
  const names = [...new Set(rounds.flatMap(({ phases }) => Object.keys(phases)))];
  const seconds = (name: string) => rounds.map(({ phases }) => phases[name] ?? 0);
  return [
    ['state of the sum', 'median, s', 'longest, s'],
    ...names.map((name) => [name, median(seconds(name)).toFixed(2), Math.max(...seconds(name)).toFixed(2)]),
  ];
}
