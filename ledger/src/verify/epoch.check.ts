import { epochContext, epochZero, runId } from '@coferment/consortium';
import { checkEpochOrder } from './epoch-order.check.js';
import { type Evidence, ProblemList, type Recorded, unsorted } from './evidence.js';
import { type Finding, countOf } from './verification.report.js';

/**
 * Nobody trains in a run, or beside companies, that it has not approved. A run may have fewer sites than were asked, if those it lacks had not approved:
 * who had is in it, and all were asked with the same list.
 */
export function checkRuns(evidence: Evidence): Finding {
  const list = new ProblemList();
  const runs = evidence.all('run-opened');
  for (const opened of runs) {
    const { run, plan, ordinal, sites } = opened.predicate;
    list.require(
      runId(plan, ordinal) === run,
      opened,
      `run "${run}" should be called "${runId(plan, ordinal)}" after its plan and ordinal`,
    );
    list.require(evidence.run(run) === opened, opened, `run "${run}" is opened a second time, with other content`);
    list.require(unsorted(sites) === undefined, opened, `its sites are not sorted and distinct (at "${unsorted(sites)}")`);
    list.require(
      evidence.find('plan-published', (published) => published.plan === plan) !== undefined,
      opened,
      `plan ${plan} was never published`,
    );
    checkAsked(evidence, opened, list);
    for (const site of sites) {
      const approval = evidence.find(
        'plan-approved',
        (approved) =>
          approved.site === site &&
          approved.plan === plan &&
          approved.ordinal === ordinal &&
          sites.every((other) => approved.sites.includes(other)),
      );
      list.require(
        approval !== undefined && approval.index < opened.index,
        opened,
        `"${site}" had not approved run ${ordinal} of this plan with these sites`,
      );
    }
  }
  const narrowed = runs.filter((opened) =>
    approvalsOf(evidence, opened).some(({ predicate }) => predicate.sites.length > opened.predicate.sites.length),
  );
  const detail = narrowed.length === 0 ? '' : `, ${narrowed.length} without sites that had not approved in time`;
  return { detail: `${countOf(runs.length, 'run')}${detail}`, problems: list.problems };
}

/** The approvals of a run that stand before it in the log. */
function approvalsOf(evidence: Evidence, { index, predicate: { plan, ordinal } }: Recorded<'run-opened'>): Recorded<'plan-approved'>[] {
  return evidence
    .all('plan-approved')
    .filter((approved) => approved.index < index && approved.predicate.plan === plan && approved.predicate.ordinal === ordinal);
}

/** A coordinator that picks among those who approved would choose who stands beside whom; one that asks with several lists, who believes what. */
function checkAsked(evidence: Evidence, opened: Recorded<'run-opened'>, list: ProblemList): void {
  const { sites } = opened.predicate;
  const approvals = approvalsOf(evidence, opened);
  const [first] = approvals;
  for (const approval of approvals) {
    const { site, sites: asked } = approval.predicate;
    list.require(
      sites.includes(site),
      opened,
      `"${site}" had approved run ${opened.predicate.ordinal} of this plan, but the run was opened without it`,
    );
    list.require(same(asked, first!.predicate.sites), approval, `"${site}" was asked with other sites than "${first!.predicate.site}"`);
  }
}

/** S1 to S3: one roster, every dealing acknowledged by every key holder, and one E that every site of the epoch signed. */
export function checkKeyEpochs(evidence: Evidence): Finding {
  const list = new ProblemList();
  const epochs = evidence.all('key-epoch');
  for (const epoch of epochs) {
    const { run, leftOut, dealings, keyHolders } = epoch.predicate;
    const opened = evidence.run(run);
    if (!opened) {
      list.add(epoch, `run "${run}" was never opened`);
      continue;
    }
    list.require(
      evidence.epoch(run, epoch.predicate.epoch) === epoch,
      epoch,
      `epoch ${epoch.predicate.epoch} is opened a second time, with other content`,
    );
    const members = dealings.map(({ site }) => site);
    list.require(unsorted(members) === undefined, epoch, 'its dealings are not sorted by site, one of each');
    const everybody = [...members, ...leftOut].toSorted();
    list.require(same(everybody, opened.predicate.sites), epoch, 'its dealers and the sites left out are not the sites of the run');
    list.require(
      new Set(keyHolders).size === keyHolders.length && keyHolders.every((holder) => members.includes(holder)),
      epoch,
      'a key holder is listed twice, left out, or no site of the run',
    );
    checkNumbers(evidence, epoch, opened, list);
    checkContexts(epoch, opened, list);
    checkDealings(evidence, epoch, list);
  }
  return { detail: countOf(epochs.length, 'key epoch'), problems: [...list.problems, ...checkEpochOrder(evidence)] };
}

function checkNumbers(evidence: Evidence, epoch: Recorded<'key-epoch'>, opened: Recorded<'run-opened'>, list: ProblemList): void {
  const { numbers, keyHolders, run } = epoch.predicate;
  const { n, m, tau, c, rho, minContributors } = numbers;
  list.require(n === opened.predicate.sites.length, epoch, `it is for n = ${n} sites, but the run has ${opened.predicate.sites.length}`);
  list.require(
    m === keyHolders.length && tau <= m && tau >= c + 1,
    epoch,
    `threshold ${tau} of ${m} with ${keyHolders.length} key holders and c = ${c}`,
  );
  const quorum = Math.floor((n + c) / 2) + 1;
  list.require(rho === quorum && rho <= n, epoch, `the attest quorum is ${rho}, but n = ${n} and c = ${c} require ${quorum}`);
  list.require(minContributors >= Math.max(3, c + 2), epoch, `${minContributors} contributors are too few where ${c} sites may collude`);
  const first = evidence.firstEpoch(run)!.predicate.numbers;
  list.require(
    n === first.n && c === first.c && rho === first.rho && tau === first.tau && minContributors === first.minContributors,
    epoch,
    "n, c, the threshold, the attest quorum and the fewest contributors are not those of the run's first epoch",
  );
}

function checkContexts(epoch: Recorded<'key-epoch'>, opened: Recorded<'run-opened'>, list: ProblemList): void {
  const { consortium, run, roster, e0, e, dealings, leftOut } = epoch.predicate;
  const { plan, ordinal } = opened.predicate;
  list.require(
    e0 === epochZero({ consortium, run, ordinal, epoch: epoch.predicate.epoch, plan, roster }),
    epoch,
    'E0 does not follow from run, plan and roster',
  );
  list.require(e === epochContext(e0, dealings, leftOut), epoch, 'E does not follow from E0 and the dealings');
}

function checkDealings(evidence: Evidence, epoch: Recorded<'key-epoch'>, list: ProblemList): void {
  const { e0, e, roster, dealings, keyHolders } = epoch.predicate;
  const agreed = new Set(
    evidence.all('epoch-agreed').flatMap(({ predicate }) => (predicate.e0 === e0 && predicate.e === e ? [predicate.site] : [])),
  );
  const approved = new Set(
    evidence
      .all('roster-approved')
      .flatMap(({ predicate }) => (predicate.e0 === e0 && predicate.roster === roster ? [predicate.site] : [])),
  );
  const acknowledged = new Set(
    evidence
      .all('dealing-ack')
      .flatMap(({ predicate }) => (predicate.e0 === e0 ? [`${predicate.dealing} ${predicate.dealer} ${predicate.site}`] : [])),
  );
  for (const { site, dealing } of dealings) {
    const dealt = evidence.at('dealing', dealing)?.predicate;
    list.require(dealt?.site === site && dealt.e0 === e0, epoch, `the dealing of "${site}" for this epoch is not recorded`);
    list.require(approved.has(site), epoch, `"${site}" has not approved the roster`);
    list.require(agreed.has(site), epoch, `"${site}" has not signed E`);
    for (const holder of keyHolders) {
      list.require(
        acknowledged.has(`${dealing} ${site} ${holder}`),
        epoch,
        `key holder "${holder}" has not acknowledged the dealing of "${site}"`,
      );
    }
  }
}

function same(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((value, position) => value === right[position]);
}
