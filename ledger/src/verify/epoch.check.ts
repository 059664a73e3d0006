import { epochContext, epochZero } from '@coferment/consortium';
import type { ContentCheck } from './content.check.js';
import { EpochOrder } from './epoch.order.js';
import { type Evidence, type Recorded, unsorted } from './evidence.js';
import { ProblemList } from './problem.list.js';
import { type Finding, countOf } from './verification.report.js';

/** S1 to S3: one roster, every dealing acknowledged by every key holder, and one E that every site of the epoch signed. */
export class EpochCheck implements ContentCheck {
  readonly #list = new ProblemList();
  readonly #order = new EpochOrder(this.#list);
  #epochs = 0;

  follow(recorded: Recorded, evidence: Evidence): void {
    if (recorded.name === 'key-epoch') this.#checkEpoch(recorded, evidence);
    this.#order.follow(recorded, evidence);
  }

  finish(): Finding {
    return { detail: countOf(this.#epochs, 'key epoch'), problems: this.#list.problems };
  }

  #checkEpoch(epoch: Recorded<'key-epoch'>, evidence: Evidence): void {
    const { run, leftOut, dealings, keyHolders } = epoch.predicate;
    const list = this.#list;
    this.#epochs++;
    const opened = evidence.run(run);
    if (!opened) {
      list.add(epoch, `run "${run}" was never opened`);
      return;
    }
    list.require(
      evidence.epoch(run, epoch.predicate.epoch) === undefined,
      epoch,
      `epoch ${epoch.predicate.epoch} is opened a second time, with other content`,
    );
    const members = dealings.map(({ site }) => site);
    list.require(unsorted(members) === undefined, epoch, 'its dealings are not sorted by site, one of each');
    const everybody = [...members, ...leftOut].toSorted();
    list.require(
      everybody.join() === opened.predicate.sites.join(),
      epoch,
      'its dealers and the sites left out are not the sites of the run',
    );
    list.require(
      new Set(keyHolders).size === keyHolders.length && keyHolders.every((holder) => members.includes(holder)),
      epoch,
      'a key holder is listed twice, left out, or no site of the run',
    );
    checkNumbers(epoch, opened, evidence.firstEpoch(run) ?? epoch, list);
    checkContexts(epoch, opened, list);
    checkDealings(evidence, epoch, list);
  }
}

function checkNumbers(
  epoch: Recorded<'key-epoch'>,
  opened: Recorded<'run-opened'>,
  firstEpoch: Recorded<'key-epoch'>,
  list: ProblemList,
): void {
  const { numbers, keyHolders } = epoch.predicate;
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
  const first = firstEpoch.predicate.numbers;
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
  const acts = evidence.epochActs(e0);
  for (const { site, dealing } of dealings) {
    const dealt = acts.dealings.get(dealing)?.predicate;
    list.require(dealt?.site === site, epoch, `the dealing of "${site}" for this epoch is not recorded`);
    list.require(acts.rosterApproved.has(`${roster} ${site}`), epoch, `"${site}" has not approved the roster`);
    list.require(acts.agreed.has(`${e} ${site}`), epoch, `"${site}" has not signed E`);
    for (const holder of keyHolders) {
      list.require(
        acts.acknowledged.has(`${dealing} ${site} ${holder}`),
        epoch,
        `key holder "${holder}" has not acknowledged the dealing of "${site}"`,
      );
    }
  }
}
