import type { ContentCheck } from './content.check.js';
import type { Evidence, Recorded } from './evidence.js';
import { ProblemList, place } from './problem.list.js';
import { type Finding, countOf } from './verification.report.js';

/** A site may sign any number of uploads; so many of those that do not count are named. */
const MAX_NAMED = 3;

/** R3: an upload counts only under the K that its site signed; and one that came in time for it is counted, whatever is said of the site. */
export class ContributionCheck implements ContentCheck {
  readonly #list = new ProblemList();
  #counted = 0;

  follow(frozen: Recorded, evidence: Evidence): void {
    if (frozen.name !== 'round-frozen') return;
    const { run, sum, e, kind, attempt, k, ranges, counted, excluded } = frozen.predicate;
    // A second freeze of a sum is found elsewhere; the uploads of the first are gone.
    if (evidence.isFrozen(run, sum)) return;
    const uploads = evidence.openSum(run, sum)?.uploads ?? [];
    for (const { site, merkleRoot } of counted) {
      this.#counted++;
      const found = uploads.filter(({ predicate }) => predicate.site === site);
      const signed = found.some(
        ({ predicate }) =>
          predicate.k === k &&
          predicate.e === e &&
          predicate.kind === kind &&
          predicate.attempt === attempt &&
          predicate.merkleRoot === merkleRoot &&
          predicate.ranges === ranges,
      );
      const instead = found.length > 0 ? `; ${found.slice(0, MAX_NAMED).map(place).join(', ')} is for another K, upload or attempt` : '';
      this.#list.require(signed, frozen, `the upload of "${site}" is counted, but not signed by it for this sum${instead}`);
    }
    for (const upload of uploads) {
      const { site } = upload.predicate;
      const inTime = upload.predicate.k === k && upload.predicate.attempt === attempt;
      if (!inTime || counted.some((other) => other.site === site)) continue;
      const reason = excluded.find((other) => other.site === site)?.reason;
      const said = reason === undefined ? 'and nothing is said of it' : `and it is called "${reason}"`;
      this.#list.add(
        frozen,
        `the upload of "${site}" for exactly this sum stands before it (${place(upload)}), ${said} instead of counted`,
      );
    }
  }

  finish(): Finding {
    return { detail: countOf(this.#counted, 'counted upload'), problems: this.#list.problems };
  }
}
