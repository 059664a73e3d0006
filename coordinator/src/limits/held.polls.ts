import type { Release } from './call.slots.js';
import { tooMany } from './too-many.refusal.js';

const RETRY_MS = 5000;

interface HeldPoll {
  end(refusal: Error): void;
}

/**
 * The polls that are held for each site. A site whose line was cut polls again long before the coordinator finds out that the first connection is dead, so it is
 * never the new poll that has to go.
 */
export class HeldPolls {
  readonly #held = new Map<string, Set<HeldPoll>>();

  constructor(private readonly most: number) {}

  begin(site: string, end: HeldPoll['end']): Release {
    const polls = this.#held.get(site) ?? new Set();
    this.#held.set(site, polls);
    const poll = { end };
    polls.add(poll);
    const [oldest] = polls;
    if (polls.size > this.most && oldest !== undefined) {
      polls.delete(oldest);
      oldest.end(tooMany(`"${site}" has ${this.most} newer polls, so this one has been ended. One agent polls for a site`, RETRY_MS));
    }
    return () => {
      polls.delete(poll);
      if (polls.size === 0 && this.#held.get(site) === polls) this.#held.delete(site);
    };
  }
}
