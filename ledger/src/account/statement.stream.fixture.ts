import type { Predicate, PredicateName, SumKind } from '@coferment/consortium';
import { digest } from '@coferment/crypto';
import type { Recorded } from '../verify/index.js';
import { AccountBook } from './account.book.js';
import type { LedgerAccount } from './account.types.js';
import type { OpenedContribution } from './contribution.openings.js';

export const CONSORTIUM = 'fermentation-a';
export const PLAN = digest('fixture', 'plan');
export const RUN = 'r1-0123456789abcdef';
export const inRun = { consortium: CONSORTIUM, run: RUN };
const filler = digest('fixture', 'filler');

/** Statements as the verification hands them on, without the signatures that it has checked: a ledger that is quick to make up. */
export class StatementStream {
  readonly statements: Recorded[] = [];

  say<N extends PredicateName>(name: N, predicate: Predicate<N>): string {
    const statement = { index: this.statements.length, name, predicate, digest: digest('statement', this.statements.length) };
    this.statements.push(statement as unknown as Recorded);
    return statement.digest;
  }

  found(sites: readonly string[]): void {
    this.say('consortium-founded', { consortium: CONSORTIUM, origin: 'ledger.example/a', operatorKey: filler, wireVersion: 'v1' });
    for (const site of sites)
      this.say('site-enrolled', { consortium: CONSORTIUM, site, identityKey: digest('key', site), certificate: filler });
    this.say('plan-published', { consortium: CONSORTIUM, plan: PLAN, name: 'Titre at harvest' });
    this.say('run-opened', { ...inRun, plan: PLAN, ordinal: 1, sites: [...sites] });
  }

  keyEpoch(epoch: number, sites: readonly string[], keyHolders: readonly string[], leftOut: readonly string[] = []): void {
    const e = eOf(epoch);
    const dealings = sites.map((site) => ({
      site,
      dealing: this.say('dealing', { ...inRun, epoch, e0: filler, site, commitments: [], masked: filler, boxes: [] }),
    }));
    const numbers = { n: sites.length, m: keyHolders.length, tau: 2, c: 1, rho: 3, minContributors: 3 };
    const renewal = epoch === 1 ? {} : { renewal: { reason: 'A holder lied.', leftOut: [...leftOut], replaced: [] } };
    const rest = { numbers, keyHolders: [...keyHolders], dealings, leftOut: [...leftOut], ...renewal };
    this.say('key-epoch', { ...inRun, epoch, roster: filler, e0: filler, e, ...rest });
  }

  upload(sum: SumPlace, site: string, committed: Partial<Predicate<'contribution'>> = {}): string {
    const facts = { sampleCommitment: filler, batchCommitment: filler, dataReportCommitment: filler, ...committed };
    const upload = { blocks: 1, droppedBits: 0, object: filler, merkleRoot: rootOf(sum, site), ranges: filler, ...facts };
    return this.say('contribution', { ...inSum(sum), k: kOf(sum), attempt: sum.attempt, site, ...upload, backend: 'wasm' });
  }

  freeze(sum: SumPlace, counted: readonly string[], excluded: Predicate<'round-frozen'>['excluded'] = []): void {
    const { epoch, round, attempt } = sum;
    const input = { i: filler, modelIn: modelAfter(round - 1), ranges: filler, normalisation: filler, weightRule: 'samples', nonces: [] };
    const set = { k: kOf(sum), t: tOf(sum), counted: counted.map((site) => ({ site, merkleRoot: rootOf(sum, site) })), excluded };
    this.say('round-frozen', { ...inSum(sum), epoch, round, attempt, ...input, ...set });
  }

  attest({ epoch, ...sum }: SumPlace, site: string): string {
    const sums = [{ sum: sum.sum, k: kOf({ epoch, ...sum }), t: tOf({ epoch, ...sum }), set: filler, modelIn: modelAfter(sum.round - 1) }];
    return this.say('attestation', { ...inRun, epoch, e: eOf(epoch), kind: sum.kind, site, sums });
  }

  share(sum: SumPlace, site: string): string {
    return this.say('share', { ...inSum(sum), k: kOf(sum), t: tOf(sum), site, blocks: 1, object: filler, merkleRoot: filler });
  }

  open(sum: SumPlace, named: Pick<Predicate<'aggregate'>, 'certificate' | 'shares'>): void {
    const models = { modelIn: modelAfter(sum.round - 1), modelOut: modelAfter(sum.round) };
    const { epoch, round } = sum;
    this.say('aggregate', { ...inSum(sum), epoch, round, k: kOf(sum), t: tOf(sum), sumObject: filler, ...named, ...models });
  }
}

export interface SumPlace {
  sum: number;
  kind: SumKind;
  epoch: number;
  round: number;
  attempt: number;
}

export const update = (sum: number, round: number, attempt = 1, epoch = 1): SumPlace => ({ sum, kind: 'update', epoch, round, attempt });
export const modelAfter = (round: number) => digest('model', round);
export const inSum = ({ sum, kind, epoch }: SumPlace) => ({ ...inRun, e: eOf(epoch), kind, sum });
const eOf = (epoch: number) => digest('E', epoch);
const kOf = ({ sum, attempt }: SumPlace) => digest('K', sum, attempt);
const tOf = ({ sum, attempt }: SumPlace) => digest('T', sum, attempt);
export const rootOf = ({ sum, attempt }: SumPlace, site: string) => digest('root', sum, attempt, site);

export function accountOf(statements: Iterable<Recorded>, openings: readonly OpenedContribution[] = []): LedgerAccount {
  const book = new AccountBook(openings);
  for (const statement of statements) book.follow(statement);
  return book.account();
}

/**
 * A run in which much goes wrong: round 1 without delta, which was late; round 2 in two attempts and two key epochs, the sum of the first being garbled, alpha being
 * restored from a backup and left out of the second; round 3 given up.
 */
export function troubledRun(): StatementStream {
  const stream = new StatementStream();
  const sites = ['alpha', 'bravo', 'charlie', 'delta', 'echo'];
  stream.found(sites);
  stream.keyEpoch(1, sites, ['alpha', 'bravo', 'charlie']);
  const first = update(1, 1);
  for (const site of ['alpha', 'bravo', 'charlie', 'echo']) stream.upload(first, site);
  stream.freeze(first, ['alpha', 'bravo', 'charlie', 'echo'], [{ site: 'delta', reason: 'late' }]);
  const certificate = ['alpha', 'bravo', 'echo'].map((site) => ({ site, attestation: stream.attest(first, site) }));
  const shares = ['alpha', 'bravo'].map((site) => ({ site, share: stream.share(first, site) }));
  stream.open(first, { certificate, shares });
  stream.share(first, 'charlie');
  stream.upload(update(2, 2, 1), 'alpha');
  const again = update(2, 2, 2);
  for (const site of ['alpha', 'bravo', 'charlie', 'delta', 'echo']) stream.upload(again, site);
  stream.freeze(again, ['alpha', 'bravo', 'charlie', 'delta', 'echo']);
  stream.share(again, 'alpha');
  stream.say('round-garbled', { ...inSum(again), round: 2, reason: 'parity', named: ['alpha'] });
  stream.say('epoch-left', { ...inRun, epoch: 1, site: 'alpha', reason: 'restored' });
  const rest = ['bravo', 'charlie', 'delta', 'echo'];
  stream.keyEpoch(2, rest, ['bravo', 'charlie', 'delta'], ['alpha']);
  const third = update(3, 2, 1, 2);
  for (const site of ['bravo', 'charlie', 'delta']) stream.upload(third, site);
  stream.freeze(third, ['bravo', 'charlie', 'delta'], [{ site: 'echo', reason: 'dropped' }]);
  const helped = ['bravo', 'charlie'].map((site) => ({ site, share: stream.share(third, site) }));
  stream.open(third, { certificate: [], shares: helped });
  stream.upload(update(4, 3, 1, 2), 'bravo');
  const excluded = [
    { site: 'bravo', reason: 'ready' as const },
    { site: 'charlie', reason: 'absent' as const },
    { site: 'delta', reason: 'refused' as const },
    { site: 'echo', reason: 'ready' as const },
  ];
  stream.say('round-abandoned', { ...inSum(update(4, 3, 1, 2)), round: 3, attempt: 1, reason: 'Too few sites were ready.', excluded });
  const contributions = [
    { site: 'alpha', updates: 1 },
    { site: 'bravo', updates: 2 },
    { site: 'charlie', updates: 2 },
    { site: 'delta', updates: 1 },
    { site: 'echo', updates: 1 },
  ];
  stream.say('run-closed', { ...inRun, status: 'failed', rounds: 2, model: modelAfter(2), contributions });
  return stream;
}
