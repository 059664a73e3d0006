import { Injectable } from '@nestjs/common';
import { type RateLimiterRes, RateLimiterMemory } from 'rate-limiter-flexible';
import type { CoordinatorErrorCode } from '../errors/index.js';
import { Settings } from '../settings.js';
import { type Release, CallSlots } from './call.slots.js';
import { DEFAULT_LIMITS, type Limits } from './coordinator.limits.js';
import { HeldPolls } from './held.polls.js';
import { tooMany } from './too-many.refusal.js';

/** How long whoever finds no free slot should wait: most calls end sooner. */
const SLOT_RETRY_MS = 2000;
const ALL = 'all';

/** Answers to a Join or Renew that somebody who guesses gets. */
const GUESSES: ReadonlySet<string> = new Set<CoordinatorErrorCode>([
  'bad-signature',
  'identity-taken',
  'invite-expired',
  'invite-unknown',
  'invite-used',
  'malformed',
  'other-identity',
  'renewal-replayed',
  'too-large',
  'unknown-site',
]);

/**
 * How much each caller may ask for, so that no site and no stranger takes the coordinator from the others. In memory: a restart forgives, and each of several
 * coordinators counts for itself.
 */
@Injectable()
export class CallAllowance {
  readonly limits: Limits;
  readonly #strangerRate: RateLimiterMemory;
  readonly #strangersRate: RateLimiterMemory;
  readonly #refusedRate: RateLimiterMemory;
  readonly #callerRate: RateLimiterMemory;
  readonly #strangerSlots: CallSlots;
  readonly #callerSlots: CallSlots;
  readonly #allSlots: CallSlots;
  readonly #uploadSlots: CallSlots;
  readonly #allUploadSlots: CallSlots;
  readonly #polls: HeldPolls;

  constructor(settings: Settings) {
    const { stranger, caller, site, all } = (this.limits = settings.limits ?? DEFAULT_LIMITS);
    this.#strangerRate = new RateLimiterMemory({ points: stranger.callsPerMinute, duration: 60 });
    this.#strangersRate = new RateLimiterMemory({ points: all.strangerCallsPerMinute, duration: 60 });
    this.#refusedRate = new RateLimiterMemory({ points: stranger.refusedPer10Min, duration: 600 });
    this.#callerRate = new RateLimiterMemory({ points: caller.callsPer10s, duration: 10 });
    this.#strangerSlots = new CallSlots(stranger.callsAtOnce);
    this.#callerSlots = new CallSlots(caller.callsAtOnce);
    this.#allSlots = new CallSlots(all.callsAtOnce);
    this.#uploadSlots = new CallSlots(site.uploadsAtOnce);
    this.#allUploadSlots = new CallSlots(all.uploadsAtOnce);
    this.#polls = new HeldPolls(site.pollsHeld);
  }

  /** One call without a certificate. @param network as networkOfPeer. @throws CoordinatorError 'too-many' */
  async stranger(network: string): Promise<Release> {
    const { callsPerMinute, callsAtOnce } = this.limits.stranger;
    await spend(this.#strangerRate, network, `More than ${callsPerMinute} calls without a certificate in a minute came from ${network}`);
    await spend(
      this.#strangersRate,
      ALL,
      `More than ${this.limits.all.strangerCallsPerMinute} calls without a certificate came in a minute`,
    );
    return this.#slot(this.#strangerSlots, network, `${callsAtOnce} calls without a certificate are under way from ${network}`);
  }

  /** @throws CoordinatorError 'too-many' for a network from which too many joins and renewals were refused */
  async requireNoGuessing(network: string): Promise<void> {
    const found = await this.#refusedRate.get(network);
    const most = this.limits.stranger.refusedPer10Min;
    if (found !== null && found.consumedPoints >= most)
      throw tooMany(`${most} joins or renewals from ${network} were refused within ten minutes`, found.msBeforeNext);
  }

  /** A Join or Renew has ended. @param code as codeOf */
  async joinEnded(network: string, code: string): Promise<void> {
    if (GUESSES.has(code)) await this.#refusedRate.penalty(network);
  }

  /** One call with a certificate, before anybody looks whose it is. @param certificate its digest. @throws CoordinatorError 'too-many' */
  async caller(certificate: string): Promise<Release> {
    const { callsPer10s, callsAtOnce } = this.limits.caller;
    await spend(this.#callerRate, certificate, `More than ${callsPer10s} calls in ten seconds came with this certificate`);
    return this.#slot(this.#callerSlots, certificate, `${callsAtOnce} calls with this certificate are under way`);
  }

  /** A poll is held. @param end ends it for a newer one */
  poll(site: string, end: (refusal: Error) => void): Release {
    return this.#polls.begin(site, end);
  }

  /** @throws CoordinatorError 'too-many' */
  upload(site: string): Release {
    const { site: own, all } = this.limits;
    const release = this.#uploadSlots.take(site);
    if (release === undefined) throw tooMany(`${own.uploadsAtOnce} uploads of "${site}" are under way`, SLOT_RETRY_MS);
    const releaseAll = this.#allUploadSlots.take(ALL);
    if (releaseAll !== undefined) return both(release, releaseAll);
    release();
    throw tooMany(`${all.uploadsAtOnce} uploads of all sites are under way`, SLOT_RETRY_MS);
  }

  /** Under way now: that nothing leaks. */
  get underWay(): number {
    return this.#allSlots.of(ALL);
  }

  #slot(slots: CallSlots, key: string, what: string): Release {
    const release = slots.take(key);
    if (release === undefined) throw tooMany(what, SLOT_RETRY_MS);
    const releaseAll = this.#allSlots.take(ALL);
    if (releaseAll !== undefined) return both(release, releaseAll);
    release();
    throw tooMany(`${this.limits.all.callsAtOnce} calls of all callers are under way`, SLOT_RETRY_MS);
  }
}

async function spend(rate: RateLimiterMemory, key: string, what: string): Promise<void> {
  try {
    await rate.consume(key);
  } catch (spent) {
    throw tooMany(what, (spent as RateLimiterRes).msBeforeNext);
  }
}

function both(first: Release, second: Release): Release {
  return () => {
    first();
    second();
  };
}
