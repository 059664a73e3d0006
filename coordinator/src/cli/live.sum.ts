import type { RoundProgress, RoundStatus, RunStatus } from '@coferment/proto';

/** One stage of a sum as a bar with its count. */
export interface LiveStage {
  label: string;
  done: number;
  of: number;
  text: string;
}

/** What the run does now, as a title and its stages. */
export interface LiveWork {
  title: string;
  stages: LiveStage[];
}

const ENDED = new Set(['closed', 'abandoned', 'superseded']);

export function openSums(run: RunStatus): RoundStatus[] {
  return run.rounds.filter(({ state }) => !ENDED.has(state));
}

/** Before the first sum: approvals and the key ceremony. Confirm sums, of which each site has one, are one stage together. */
export function liveWork(run: RunStatus): LiveWork[] {
  if (run.state === 'awaiting-approval') {
    const approved = run.sites.length - run.waitingFor.length;
    const text = `${approved} of ${run.sites.length} sites`;
    return [{ title: 'approval of the plan', stages: [{ label: 'approved', done: approved, of: run.sites.length, text }] }];
  }
  const open = openSums(run);
  if (open.length === 0) return run.state === 'key-ceremony' ? [{ title: `keys of epoch ${run.epoch}`, stages: [] }] : [];
  const confirms = open.filter(({ kind }) => kind === 'confirm');
  const others = open.filter(({ kind }) => kind !== 'confirm').map((round) => sumWork(run, round));
  return confirms.length === 0 ? others : [confirmWork(run, confirms), ...others];
}

function confirmWork(run: RunStatus, open: readonly RoundStatus[]): LiveWork {
  // One for each site of the epoch, all opened together.
  const of = run.sites.length - run.leftOut.length;
  const closed = Math.max(0, of - open.length);
  const states = [...new Set(open.map(({ state }) => state))].sort().join(', ');
  return {
    title: `confirmation of the keys of epoch ${run.epoch}, ${states}`,
    stages: [{ label: 'confirmed', done: closed, of, text: `${closed} of ${of} sites` }],
  };
}

function sumWork(run: RunStatus, round: RoundStatus): LiveWork {
  const name = round.kind === 'update' ? `round ${round.round}` : round.kind;
  const attempt = round.attempt > 1 ? `, attempt ${round.attempt}` : '';
  const title = `${name} (sum ${round.sum}${attempt}), ${round.state}`;
  return { title, stages: round.progress === undefined ? [] : stagesOf(run, round, round.progress) };
}

function stagesOf(run: RunStatus, round: RoundStatus, progress: RoundProgress): LiveStage[] {
  const { sites, needed, declined, ready, listed, uploaded, attested, attesters, shares } = progress;
  const out = declined === 0 ? '' : `, ${declined} stay${declined === 1 ? 's' : ''} out`;
  const isFrozen = round.counted.length > 0;
  const asked = listed === 0 ? sites : listed;
  // The frozen set is the last word: a site whose upload was late has uploaded and is not counted.
  const sent = isFrozen ? round.counted.length : uploaded;
  return [
    { label: 'trained', done: ready, of: sites, text: `${ready} of ${sites} sites, ${needed} needed${out}` },
    { label: isFrozen ? 'counted' : 'uploaded', done: sent, of: asked, text: `${sent} of ${asked}, ${needed} needed` },
    { label: 'signed', done: attested, of: attesters, text: `${attested} of ${attesters} sites, ${run.attestQuorum} needed` },
    {
      label: 'shares',
      done: shares,
      of: run.keyHolders.length,
      text: `${shares} of ${run.keyHolders.length} key holders, ${run.threshold} needed`,
    },
  ];
}
