import type { Predicate, SumKind } from '@coferment/consortium';
import type { ContentCheck } from './content.check.js';
import { type Evidence, type Recorded, unsorted } from './evidence.js';
import { ProblemList } from './problem.list.js';
import { type WordName, isWord } from './sum.words.js';
import { type Finding, countOf } from './verification.report.js';

/** R4: who is counted, and everybody else with a reason. */
export class CountedSetCheck implements ContentCheck {
  readonly #list = new ProblemList();
  #freezes = 0;

  follow(recorded: Recorded, evidence: Evidence): void {
    if (recorded.name === 'round-frozen') this.#checkFreeze(recorded, evidence);
    if (recorded.name === 'round-abandoned') this.#checkAbandoned(recorded, evidence);
    if (isWord(recorded)) this.#checkWord(recorded, evidence);
  }

  finish(): Finding {
    return { detail: countOf(this.#freezes, 'frozen sum'), problems: this.#list.problems };
  }

  #checkFreeze(frozen: Recorded<'round-frozen'>, evidence: Evidence): void {
    this.#freezes++;
    const { run, sum, epoch: number, e } = frozen.predicate;
    // Behind an abandonment, uploads that had come in time would count for nothing.
    this.#list.require(
      !evidence.words.isAbandoned(run, sum),
      frozen,
      `sum ${sum} of run "${run}" was abandoned before; none is taken up again`,
    );
    this.#list.require(
      !evidence.isFrozen(run, sum),
      frozen,
      `sum ${sum} of run "${run}" was frozen before, with other content; a freeze is final`,
    );
    const epoch = evidence.epoch(run, number);
    if (epoch?.predicate.e === e) this.#checkSets(frozen, epoch);
    else this.#list.add(frozen, `it is in key epoch ${number} of run "${run}", which is not recorded with this E`);
  }

  #checkAbandoned(abandoned: Recorded<'round-abandoned'>, evidence: Evidence): void {
    const { run, sum, e, kind, excluded } = abandoned.predicate;
    this.#list.require(!evidence.isFrozen(run, sum), abandoned, `sum ${sum} of run "${run}" was frozen before; a freeze is final`);
    const epoch = evidence.epochOf(run, e);
    if (epoch !== undefined) {
      this.#checkExcluded(abandoned, excluded, epoch);
      this.#checkAllNamed(abandoned, kind, new Set(excluded.map(({ site }) => site)), epoch);
    } else this.#list.add(abandoned, `it is in no key epoch of run "${run}" that is recorded with this E`);
  }

  /** One number is one sum: an account that went by what is said of it elsewhere would lose what was summed. */
  #checkWord(recorded: Recorded<WordName>, evidence: Evidence): void {
    const first = evidence.words.firstOther(recorded.predicate);
    const { sum, kind } = recorded.predicate;
    this.#list.require(first === undefined, recorded, `sum ${sum} is of another kind than ${kind}, or of another E, in entry ${first}`);
  }

  #checkExcluded(
    recorded: Recorded<'round-frozen' | 'round-abandoned'>,
    excluded: Predicate<'round-abandoned'>['excluded'],
    epoch: Recorded<'key-epoch'>,
  ): void {
    const members = new Set(epoch.predicate.dealings.map(({ site }) => site));
    const named = new Set<string>();
    for (const { site } of excluded) {
      this.#list.require(members.has(site), recorded, `"${site}" is named with a reason but is not in this key epoch`);
      this.#list.require(!named.has(site), recorded, `"${site}" is named with two reasons`);
      named.add(site);
    }
  }

  #checkSets(frozen: Recorded<'round-frozen'>, epoch: Recorded<'key-epoch'>): void {
    const { kind, modelIn, nonces, counted, excluded } = frozen.predicate;
    const list = this.#list;
    const members = epoch.predicate.dealings.map(({ site }) => site);
    const ready = nonces.map(({ site }) => site);
    const sites = counted.map(({ site }) => site);
    list.require(unsorted(ready) === undefined, frozen, `its nonce list is not sorted or names "${unsorted(ready)}" twice`);
    list.require(new Set(nonces.map(({ nonce }) => nonce)).size === nonces.length, frozen, 'its nonce list holds one nonce twice');
    list.require(unsorted(sites) === undefined, frozen, `the counted set is not sorted or counts "${unsorted(sites)}" twice`);
    for (const site of ready) list.require(members.includes(site), frozen, `"${site}" has a nonce but is not in this key epoch`);
    for (const site of sites) list.require(ready.includes(site), frozen, `"${site}" is counted but has no nonce in this attempt`);
    this.#checkExcluded(frozen, excluded, epoch);
    // A training sum relabelled `confirm` would need no second contributor and no second look.
    const startsFromModel = kind === 'update' || kind === 'evaluate';
    list.require(startsFromModel === (modelIn !== 'none'), frozen, `a sum of kind ${kind} cannot start from model ${modelIn}`);
    if (kind === 'confirm') {
      const isOfOne = sites.length === 1 && ready.length === 1;
      list.require(isOfOne, frozen, `a confirm sum is over one site, not ${sites.length} of ${ready.length}`);
      return;
    }
    const { minContributors } = epoch.predicate.numbers;
    list.require(sites.length >= minContributors, frozen, `${sites.length} sites are counted; the run requires ${minContributors}`);
    const named = excluded.map(({ site }) => site);
    for (const site of named) list.require(!sites.includes(site), frozen, `"${site}" is both counted and excluded`);
    this.#checkAllNamed(frozen, kind, new Set([...sites, ...named]), epoch);
  }

  /** No silent subset: every site of the epoch stands somewhere, also in a sum that came to nothing. A confirm sum is asked of one site only. */
  #checkAllNamed(
    recorded: Recorded<'round-frozen' | 'round-abandoned'>,
    kind: SumKind,
    named: ReadonlySet<string>,
    epoch: Recorded<'key-epoch'>,
  ): void {
    if (kind === 'confirm') {
      this.#list.require(named.size === 1, recorded, `a confirm sum is asked of one site, not of ${named.size}`);
      return;
    }
    for (const { site } of epoch.predicate.dealings)
      this.#list.require(named.has(site), recorded, `"${site}" is neither counted nor named with a reason`);
  }
}
