import { type Predicate, concernedSites, setDigest } from '@coferment/consortium';
import { type Evidence, type Recorded, unsorted } from './evidence.js';
import { FactIndex } from './fact.index.js';

type Proposal = Recorded<'new-set-proposed'>;

interface OpenProposal {
  recorded: Proposal;
  /** Why nothing can be built on it; undefined where it is in order. */
  problem: string | undefined;
  approved: Set<string>;
}

/** Which model's sums a set is for. */
export const setKey = ({ kind, modelIn }: { kind: string; modelIn: string }) => `${kind} ${modelIn}`;

/**
 * Another set in the place of the first one of a model (secure-aggregation.md §3): behind a proposal of the operator and the approval of everybody whom the
 * difference tells about (from the third set on, of everybody in any of them) and of every signer of any earlier set. Proposals are few, so they are kept whole; who signed is kept in the index of facts.
 */
export class SetChanges {
  readonly #signed = new FactIndex();
  readonly #proposals = new Map<string, OpenProposal>();
  /** Of models whose set was changed: what is in force, and what was. */
  readonly #changed = new Map<string, { set: string; replaced: string[][] }>();

  /** The set in force for a model, where it is not the first one. */
  inForce(key: string): string | undefined {
    return this.#changed.get(key)?.set;
  }

  noteFreeze({ predicate, index }: Recorded<'round-frozen'>): void {
    const set = setDigest(predicate.counted.map(({ site }) => site));
    this.#signed.note(`frozen ${setKey(predicate)} ${set} ${predicate.t}`, index);
  }

  noteSigner(key: string, site: string, index: number): void {
    this.#signed.note(`signed ${key} ${site}`, index);
  }

  /** @param isInForce whether a set is the one that counts for the model now. @returns what is wrong with the proposal */
  propose(recorded: Proposal, evidence: Evidence, isInForce: (key: string, set: string) => boolean): string | undefined {
    const problem = this.#problemOf(recorded, evidence, isInForce);
    this.#proposals.set(recorded.digest, { recorded, problem, approved: new Set() });
    return problem;
  }

  /** @returns what is wrong with the approval */
  approve({ predicate }: Recorded<'new-set-approved'>): string | undefined {
    const open = this.#proposals.get(predicate.proposal);
    if (open === undefined) return `"${predicate.site}" approves a set that nobody has proposed, or that is in force already`;
    const proposed = open.recorded.predicate;
    const same =
      predicate.run === proposed.run &&
      predicate.e === proposed.e &&
      predicate.kind === proposed.kind &&
      predicate.sum === proposed.sum &&
      predicate.before.join() === proposed.before.join() &&
      predicate.after.join() === proposed.after.join();
    if (!same) return `what "${predicate.site}" approves is not what entry ${open.recorded.index} proposes`;
    if (!proposed.approvers.includes(predicate.site)) return `"${predicate.site}" approves another set and was not asked to`;
    open.approved.add(predicate.site);
    return undefined;
  }

  /**
   * Whether an approved proposal leads from the set in force to this one; then it is in force from here on.
   * @returns what the nearest proposal lacks, where none does
   */
  take(frozen: Recorded<'round-frozen'>, evidence: Evidence): { changed: boolean; why: string } {
    const { run, counted } = frozen.predicate;
    const key = setKey(frozen.predicate);
    const set = setDigest(counted.map(({ site }) => site));
    let why = 'no proposal in the log leads to it';
    for (const { recorded, problem, approved } of this.#proposals.values()) {
      const { predicate } = recorded;
      if (predicate.run !== run || setKey(predicate) !== key || setDigest(predicate.after) !== set) continue;
      const lacking = predicate.approvers.filter((site) => !approved.has(site));
      const unasked = this.#signersOf(predicate, evidence).filter((site) => !predicate.approvers.includes(site));
      if (problem !== undefined) why = `the proposal in entry ${recorded.index} is not in order`;
      else if (lacking.length > 0) why = `${lacking.join(', ')} had not approved the proposal in entry ${recorded.index}`;
      else if (unasked.length > 0) why = `${unasked.join(', ')} signed the earlier set and was not asked in entry ${recorded.index}`;
      else {
        this.#changed.set(key, { set, replaced: [...(this.#changed.get(key)?.replaced ?? []), predicate.before] });
        for (const [digest, open] of this.#proposals) if (setKey(open.recorded.predicate) === key) this.#proposals.delete(digest);
        return { changed: true, why: '' };
      }
    }
    return { changed: false, why };
  }

  #problemOf({ predicate }: Proposal, evidence: Evidence, isInForce: (key: string, set: string) => boolean): string | undefined {
    const { run, e, kind, t, before, after, approvers } = predicate;
    const key = setKey(predicate);
    if (kind === 'confirm') return 'a confirm sum is over one site and gets no other set';
    const wrong = [before, after, approvers].map(unsorted).find((site) => site !== undefined);
    if (wrong !== undefined) return `a list of it is not sorted or names "${wrong}" twice`;
    if (!isInForce(key, setDigest(before)))
      return `it starts from ${before.join(', ')}, which is not the set in force for ${kind} from model ${predicate.modelIn}`;
    if (!this.#signed.has(`frozen ${key} ${setDigest(before)} ${t}`))
      return 'no sum was frozen over the set that it starts from with its T';
    if (before.join() === after.join()) return 'it proposes the set that is in force';
    const epoch = evidence.epochOf(run, e)?.predicate;
    if (epoch === undefined) return `it is in no key epoch of run "${run}" that is recorded with this E`;
    const outside = after.find((site) => !epoch.dealings.some((dealing) => dealing.site === site));
    if (outside !== undefined) return `"${outside}" of the proposed set is not in this key epoch`;
    if (after.length < epoch.numbers.minContributors)
      return `${after.length} sites are proposed; the run requires ${epoch.numbers.minContributors}`;
    const sets = [...(this.#changed.get(key)?.replaced ?? []), before];
    const needed = [...concernedSites(sets, after), ...this.#signersOf(predicate, evidence)];
    const unasked = needed.find((site) => !approvers.includes(site));
    return unasked === undefined ? undefined : `"${unasked}" is concerned and is not asked`;
  }

  /** Sites of the run that have signed or opened anything over any set of this model so far. */
  #signersOf(proposed: Predicate<'new-set-proposed'>, evidence: Evidence): string[] {
    const sites = evidence.run(proposed.run)?.predicate.sites ?? [];
    return sites.filter((site) => this.#signed.has(`signed ${setKey(proposed)} ${site}`));
  }
}
