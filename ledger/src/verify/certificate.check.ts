import { setDigest } from '@coferment/consortium';
import type { ContentCheck } from './content.check.js';
import type { Evidence, Recorded } from './evidence.js';
import { ProblemList } from './problem.list.js';
import { type Finding, countOf } from './verification.report.js';

/** R5: nothing may be opened before ρ sites have signed exactly this T; ρ is that of the run's first roster. */
export class CertificateCheck implements ContentCheck {
  readonly #list = new ProblemList();
  #results = 0;

  follow(aggregate: Recorded, evidence: Evidence): void {
    if (aggregate.name !== 'aggregate') return;
    this.#results++;
    const { run, sum, epoch, e, kind, k, t, modelIn, round } = aggregate.predicate;
    // A second result of a sum is found elsewhere; what the first one stood on is gone.
    if (evidence.hasResult(run, sum)) return;
    const frozen = evidence.openSum(run, sum)?.frozen?.predicate;
    const first = evidence.firstEpoch(run)?.predicate;
    if (!frozen || !first) {
      this.#list.add(aggregate, `sum ${sum} of run "${run}" was opened without a recorded freeze and key epoch`);
      return;
    }
    const same =
      frozen.k === k &&
      frozen.t === t &&
      frozen.e === e &&
      frozen.epoch === epoch &&
      frozen.kind === kind &&
      frozen.modelIn === modelIn &&
      frozen.round === round;
    this.#list.require(same, aggregate, `it does not agree with the freeze of sum ${sum}`);
    this.#checkCertificate(aggregate, evidence, { set: setDigest(frozen.counted.map(({ site }) => site)), rho: first.numbers.rho });
  }

  finish(): Finding {
    return { detail: countOf(this.#results, 'opened sum'), problems: this.#list.problems };
  }

  #checkCertificate(aggregate: Recorded<'aggregate'>, evidence: Evidence, { set, rho }: { set: string; rho: number }): void {
    const { run, sum, epoch, e, kind, k, t, modelIn, certificate } = aggregate.predicate;
    const sites = evidence.run(run)?.predicate.sites ?? [];
    const given = evidence.openSum(run, sum)?.attestations;
    const valid = new Set<string>();
    for (const { site = '', attestation = '' } of certificate) {
      const attested = given?.get(attestation)?.predicate;
      const entry = attested?.sums.find((candidate) => candidate.sum === sum);
      const counts =
        attested !== undefined &&
        attested.site === site &&
        attested.epoch === epoch &&
        attested.e === e &&
        attested.kind === kind &&
        sites.includes(site) &&
        entry?.k === k &&
        entry.t === t &&
        entry.set === set &&
        entry.modelIn === modelIn;
      const problem = `the attestation of "${site}" is not recorded before it for exactly this counted set`;
      if (!this.#list.require(counts, aggregate, problem)) continue;
      this.#list.require(!valid.has(site), aggregate, `"${site}" attests twice in one certificate`);
      valid.add(site);
    }
    this.#list.require(valid.size >= rho, aggregate, `${valid.size} sites attested this counted set; ${rho} must`);
  }
}
