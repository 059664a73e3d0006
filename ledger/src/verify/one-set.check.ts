import { setDigest } from '@coferment/consortium';
import type { ContentCheck } from './content.check.js';
import type { Recorded } from './evidence.js';
import { FactIndex } from './fact.index.js';
import { ProblemList } from './problem.list.js';
import { type Finding, countOf } from './verification.report.js';

/**
 * Stickiness: per (kind, model-in) one set of sites, for life; `confirm` is over one site and exempt. The difference of two sums over two sets
 * from one model is one site's update. Attestations are looked at too, since a set counts from its first signature.
 */
export class OneSetCheck implements ContentCheck {
  readonly #list = new ProblemList();
  readonly #facts = new FactIndex();
  #sets = 0;

  follow(recorded: Recorded): void {
    if (recorded.name === 'round-frozen') {
      const { run, sum, kind, modelIn, t, counted } = recorded.predicate;
      const freeze = this.#firstOther(recorded, `sum ${run} ${sum}`, t);
      // A second freeze is found elsewhere; that sites had signed for another one is found here.
      if (freeze !== undefined) this.#list.add(recorded, `it freezes another set for sum ${sum} than entry ${freeze}`);
      if (kind === 'confirm') return;
      const first = this.#firstOther(recorded, `set ${kind} ${modelIn}`, setDigest(counted.map(({ site }) => site)));
      if (first !== undefined)
        this.#list.add(recorded, `it counts another set of sites than entry ${first} for ${kind} from model ${modelIn}`);
    } else if (recorded.name === 'attestation') {
      const { run, kind, site, sums } = recorded.predicate;
      for (const { sum, t, set, modelIn } of sums) {
        const freeze = this.#firstOther(recorded, `sum ${run} ${sum}`, t);
        if (freeze !== undefined) this.#list.add(recorded, `"${site}" attests another set for sum ${sum} than entry ${freeze}`);
        if (kind === 'confirm') continue;
        const first = this.#firstOther(recorded, `set ${kind} ${modelIn}`, set);
        if (first !== undefined)
          this.#list.add(recorded, `"${site}" attests another set of sites than entry ${first} for ${kind} from model ${modelIn}`);
      }
    }
  }

  finish(): Finding {
    return { detail: countOf(this.#sets, 'set'), problems: this.#list.problems };
  }

  /** The entry that said another value of this subject first, if there is one. */
  #firstOther({ index }: Recorded, subject: string, value: string): number | undefined {
    const first = this.#facts.first(subject);
    if (first === undefined) {
      this.#facts.note(subject, index);
      this.#facts.note(`${subject} ${value}`, index);
      if (subject.startsWith('set ')) this.#sets++;
      return undefined;
    }
    return this.#facts.has(`${subject} ${value}`) ? undefined : first;
  }
}
