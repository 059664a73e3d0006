import { freezeContext, inputContext, roundContext } from '@coferment/consortium';
import type { ContentCheck } from './content.check.js';
import type { Evidence, Recorded } from './evidence.js';
import { ProblemList } from './problem.list.js';
import { type Finding, countOf } from './verification.report.js';

/** I, K and T, each rebuilt from its parts (R1, R2, R4), so that no signature was over something that the log does not show. */
export class ContextCheck implements ContentCheck {
  readonly #list = new ProblemList();
  #freezes = 0;

  follow(frozen: Recorded, evidence: Evidence): void {
    if (frozen.name !== 'round-frozen') return;
    this.#freezes++;
    const list = this.#list;
    const { run, e, kind, sum, attempt, i, k, t, modelIn, ranges, normalisation, weightRule, nonces, counted } = frozen.predicate;
    const plan = evidence.run(run)?.predicate.plan;
    if (plan === undefined) {
      list.add(frozen, `run "${run}" was never opened`);
      return;
    }
    const input = inputContext({ plan, kind, modelIn, ranges, normalisation, weightRule });
    list.require(i === input, frozen, 'I does not follow from plan, model and ranges');
    list.require(k === roundContext({ e, i, sum, attempt, nonces }), frozen, 'K does not follow from E, I, the sum number and the nonces');
    list.require(t === freezeContext(k, counted), frozen, 'T does not follow from K and the counted uploads');
  }

  finish(): Finding {
    return { detail: `I, K and T of ${countOf(this.#freezes, 'frozen sum')}`, problems: this.#list.problems };
  }
}
