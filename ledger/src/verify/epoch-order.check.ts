import { type Evidence, ProblemList, type Recorded } from './evidence.js';
import type { CheckProblem } from './verification.report.js';

/**
 * Over the key epochs of a run: each later one says why there is another, their sums follow each other, and in each every key was confirmed by a sum of
 * its own before anything else was opened with it (S4).
 */
export function checkEpochOrder(evidence: Evidence): CheckProblem[] {
  const list = new ProblemList();
  for (const epoch of evidence.all('key-epoch')) {
    const { epoch: number, leftOut, renewal } = epoch.predicate;
    list.require(
      (renewal === undefined) === (number === 1),
      epoch,
      `key epoch ${number} ${number === 1 ? 'renews none' : 'does not say why there is another'}`,
    );
    for (const site of renewal?.leftOut ?? [])
      list.require(leftOut.includes(site), epoch, `it says that "${site}" is left out, and lists its dealing`);
    for (const site of renewal?.replaced ?? [])
      list.require(
        !epoch.predicate.keyHolders.includes(site),
        epoch,
        `it says that "${site}" is replaced as key holder, and lists it as one`,
      );
    checkConfirmed(evidence, epoch, list);
    checkSumsFollow(evidence, epoch, list);
  }
  return list.problems;
}

function checkConfirmed(evidence: Evidence, epoch: Recorded<'key-epoch'>, list: ProblemList): void {
  const { run, epoch: number, dealings } = epoch.predicate;
  const opened = evidence.all('aggregate').filter(({ predicate }) => predicate.run === run && predicate.epoch === number);
  const confirmed = new Map<string, number>();
  for (const { predicate } of opened) {
    const site = evidence.frozen(run, predicate.sum)?.predicate.counted[0]?.site;
    if (predicate.kind === 'confirm' && site !== undefined) confirmed.set(site, predicate.sum);
  }
  const others = opened.filter(({ predicate }) => predicate.kind !== 'confirm');
  const first = Math.min(...others.map(({ predicate }) => predicate.sum));
  if (others.length === 0) return;
  for (const { site } of dealings)
    list.require(
      (confirmed.get(site) ?? first) < first,
      epoch,
      `sum ${first} is opened with the key of "${site}", which no confirm sum has confirmed`,
    );
}

function checkSumsFollow(evidence: Evidence, epoch: Recorded<'key-epoch'>, list: ProblemList): void {
  const { run, epoch: number } = epoch.predicate;
  const frozen = evidence.all('round-frozen').filter(({ predicate }) => predicate.run === run);
  const before = Math.max(0, ...frozen.flatMap(({ predicate }) => (predicate.epoch < number ? [predicate.sum] : [])));
  const early = frozen.find(({ predicate }) => predicate.epoch === number && predicate.sum <= before);
  if (early !== undefined)
    list.add(early, `sum ${early.predicate.sum} of key epoch ${number} does not come after sum ${before} of an earlier one`);
}
