import { setDigest } from '@coferment/consortium';
import type { ContentCheck } from './content.check.js';
import type { Evidence, Recorded } from './evidence.js';
import { FactIndex } from './fact.index.js';
import { ProblemList } from './problem.list.js';
import { SetChanges, setKey } from './set.changes.js';
import { type Finding, countOf } from './verification.report.js';

/**
 * Stickiness: per (kind, model-in) one set of sites, for life; `confirm` is over one site and exempt. The difference of two sums over two sets
 * from one model is one site's update. Attestations are looked at too, since a set counts from its first signature. Another set takes its place only behind
 * the approval of everybody concerned, all of it before.
 */
export class OneSetCheck implements ContentCheck {
  readonly #list = new ProblemList();
  readonly #facts = new FactIndex();
  readonly #changes = new SetChanges();
  #sets = 0;
  #changed = 0;

  follow(recorded: Recorded, evidence: Evidence): void {
    if (recorded.name === 'round-frozen') this.#checkFreeze(recorded, evidence);
    if (recorded.name === 'attestation') this.#checkAttestation(recorded);
    if (recorded.name === 'share') this.#noteShare(recorded, evidence);
    if (recorded.name === 'new-set-proposed')
      this.#addIf(
        recorded,
        this.#changes.propose(recorded, evidence, (key, set) => this.#isInForce(key, set)),
      );
    if (recorded.name === 'new-set-approved') this.#addIf(recorded, this.#changes.approve(recorded));
  }

  finish(): Finding {
    const changed = this.#changed === 0 ? '' : `, ${this.#changed} replaced with the approval of everybody concerned`;
    return { detail: `${countOf(this.#sets, 'set')}${changed}`, problems: this.#list.problems };
  }

  #addIf(recorded: Recorded, problem: string | undefined): void {
    if (problem !== undefined) this.#list.add(recorded, problem);
  }

  /** Whoever has released a share has bound itself to the set, also without having attested it. */
  #noteShare({ predicate: { run, sum, site }, index }: Recorded<'share'>, evidence: Evidence): void {
    const frozen = evidence.openSum(run, sum)?.frozen?.predicate;
    if (frozen !== undefined && frozen.kind !== 'confirm') this.#changes.noteSigner(setKey(frozen), site, index);
  }

  #checkFreeze(recorded: Recorded<'round-frozen'>, evidence: Evidence): void {
    const { run, sum, kind, modelIn, t, counted } = recorded.predicate;
    const freeze = this.#firstOther(recorded, `sum ${run} ${sum}`, t);
    // A second freeze is found elsewhere; that sites had signed for another one is found here.
    if (freeze !== undefined) this.#list.add(recorded, `it freezes another set for sum ${sum} than entry ${freeze}`);
    if (kind === 'confirm') return;
    const first = this.#otherSet(recorded, setKey(recorded.predicate), setDigest(counted.map(({ site }) => site)));
    if (first !== undefined) {
      const { changed, why } = this.#changes.take(recorded, evidence);
      if (changed) this.#changed++;
      else this.#list.add(recorded, `it counts another set of sites than entry ${first} for ${kind} from model ${modelIn}, and ${why}`);
    }
    this.#changes.noteFreeze(recorded);
  }

  #checkAttestation(recorded: Recorded<'attestation'>): void {
    const { run, kind, site, sums } = recorded.predicate;
    for (const { sum, t, set, modelIn } of sums) {
      const freeze = this.#firstOther(recorded, `sum ${run} ${sum}`, t);
      if (freeze !== undefined) this.#list.add(recorded, `"${site}" attests another set for sum ${sum} than entry ${freeze}`);
      if (kind === 'confirm') continue;
      const key = setKey({ kind, modelIn });
      const first = this.#otherSet(recorded, key, set);
      if (first !== undefined)
        this.#list.add(recorded, `"${site}" attests another set of sites than entry ${first} for ${kind} from model ${modelIn}`);
      this.#changes.noteSigner(key, site, recorded.index);
    }
  }

  #isInForce(key: string, set: string): boolean {
    const changed = this.#changes.inForce(key);
    return changed === undefined ? this.#facts.has(`set ${key} ${set}`) : changed === set;
  }

  /** The entry that said another set of this model first, where that one is still in force. */
  #otherSet(recorded: Recorded, key: string, set: string): number | undefined {
    const other = this.#firstOther(recorded, `set ${key}`, set);
    if (this.#changes.inForce(key) === undefined) return other;
    return this.#isInForce(key, set) ? undefined : this.#facts.first(`set ${key}`);
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
