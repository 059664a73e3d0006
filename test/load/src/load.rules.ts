import type { LoadReport, LoadRound } from './load.schema.js';

/** What must hold of every load, however slow the machine was: one sentence for each rule that was broken. */
export function ruleFaults(report: LoadReport): string[] {
  const faults = report.rounds.flatMap((round) => roundFaults(round, report));
  if (report.state !== 'completed') faults.push(`The run is ${report.state}, not completed.`);
  if (report.rounds.length !== report.roundsAsked) faults.push(`${report.rounds.length} rounds were opened, not ${report.roundsAsked}.`);
  return faults;
}

function roundFaults({ round, state, counted, excluded, dropped, uploadBytes }: LoadRound, report: LoadReport): string[] {
  const faults: string[] = [];
  const fault = (text: string): void => void faults.push(`Round ${round}: ${text}`);
  const { agents, fewestContributors, drop } = report;
  if (state !== 'closed') fault(`it is ${state}, not closed.`);
  if (counted < fewestContributors) fault(`${counted} sites were counted, fewer than the ${fewestContributors} of the plan.`);
  if (counted + excluded.length !== agents) fault(`${counted} counted and ${excluded.length} others are not the ${agents} sites.`);
  const out = new Set(excluded.map(({ site }) => site));
  if (out.size !== excluded.length) fault('a site is named twice among those that were not counted.');
  if (excluded.some(({ reason }) => reason === '')) fault('a site was not counted, and the round does not say why.');
  if (dropped.length !== Math.round(agents * drop)) fault(`${dropped.length} agents were dropped, not ${Math.round(agents * drop)}.`);
  if (uploadBytes <= 0) fault('nothing was uploaded.');
  return faults;
}
