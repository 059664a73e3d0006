import type { ContentCheck } from './content.check.js';
import type { Evidence, Recorded } from './evidence.js';
import { ProblemList } from './problem.list.js';
import { type Finding, countOf } from './verification.report.js';

/** R6: at least τ key holders of the epoch, and no share for anything but the frozen T. */
export class ShareCheck implements ContentCheck {
  readonly #list = new ProblemList();
  #shares = 0;

  follow(recorded: Recorded, evidence: Evidence): void {
    if (recorded.name === 'aggregate') this.#checkResult(recorded, evidence);
    if (recorded.name !== 'share') return;
    this.#shares++;
    const { run, sum, k, t, site } = recorded.predicate;
    this.#list.require(
      evidence.isFrozenAs(run, sum, k, t),
      recorded,
      `"${site}" released a share for a set that was not frozen for sum ${sum}`,
    );
  }

  finish(): Finding {
    return { detail: countOf(this.#shares, 'decryption share'), problems: this.#list.problems };
  }

  #checkResult(aggregate: Recorded<'aggregate'>, evidence: Evidence): void {
    const { run, sum, epoch: number, e, kind, k, t, shares } = aggregate.predicate;
    const list = this.#list;
    // A second result of a sum is found elsewhere; what the first one stood on is gone.
    if (evidence.hasResult(run, sum)) return;
    const epoch = evidence.epoch(run, number)?.predicate;
    if (!epoch) {
      list.add(aggregate, `key epoch ${number} of run "${run}" is not recorded`);
      return;
    }
    const known = evidence.openSum(run, sum)?.shares;
    const valid = new Set<string>();
    for (const { site = '', share = '' } of shares) {
      const given = known?.get(share)?.predicate;
      const counts = given !== undefined && given.site === site && given.e === e && given.kind === kind && given.k === k && given.t === t;
      list.require(counts, aggregate, `the decryption share of "${site}" is not recorded before it for this sum`);
      list.require(epoch.keyHolders.includes(site), aggregate, `"${site}" gave a decryption share but holds no key`);
      list.require(!valid.has(site), aggregate, `"${site}" gave two decryption shares for one sum`);
      if (counts) valid.add(site);
    }
    const { tau } = epoch.numbers;
    list.require(valid.size >= tau, aggregate, `${valid.size} key holders gave shares; the threshold is ${tau}`);
  }
}
