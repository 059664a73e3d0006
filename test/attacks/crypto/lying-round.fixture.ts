import { type Combination, digest, packVector } from '@coferment/crypto';
import { exampleUpdate, type HonestEpoch } from '../controls/epoch.fixture.js';
import { slotsOf } from '../controls/ring.fixture.js';

const K = digest('lying-round');
const SHAPE = { packed: 900, exact: 4 };

/** One honest round; some of its shares and uploads are then changed by who sends them. */
export class LyingRound {
  readonly #uploads: readonly Uint8Array[];
  readonly #vectors: readonly BigUint64Array[];
  readonly expected: BigUint64Array;

  constructor(readonly epoch: HonestEpoch) {
    const { parameters, sites } = epoch;
    this.#vectors = sites.map((site) => packVector(SHAPE, parameters, exampleUpdate(site, SHAPE.packed, parameters), [8n, 5n, 100n, 7n]));
    this.#uploads = sites.map((site, index) => epoch.encrypt(site, K, this.#vectors[index]!));
    this.expected = this.#vectors[0]!.map((_, index) => this.#vectors.reduce((sum, vector) => sum + vector[index]!, 0n));
  }

  get #request() {
    return { k: K, sites: this.epoch.sites, coefficients: this.expected.length };
  }

  /** The released shares of these holders; those of `lies` are off by so much in coefficient `at`. */
  shares(received: readonly number[], lies: ReadonlyMap<number, bigint>, at: number): Map<number, Uint8Array> {
    const { epoch } = this;
    const shares = epoch.releaseAll(received, this.#request);
    for (const [liar, lie] of lies) {
      if (!shares.has(liar)) continue;
      const keyShareSum = epoch.lyingKeyShare(liar, epoch.sites, K, this.#only(at, lie));
      shares.set(liar, epoch.release(liar, { ...this.#request, keyShareSum }));
    }
    return shares;
  }

  open(received: readonly number[], lies: ReadonlyMap<number, bigint>, at: number, uploads = this.#uploads): Combination {
    return this.epoch.open(uploads, this.expected.length, this.shares(received, lies, at));
  }

  /** The uploads, that of one site off by so much in coefficient `at`. */
  uploadsOff(site: number, off: bigint, at: number): readonly Uint8Array[] {
    const { epoch } = this;
    const { ring } = epoch;
    const keyed = ring.scale(ring.multiply(ring.publicElement(K), slotsOf(epoch.secretKey(epoch.sites[site]!))), -1n);
    const message = Array.from(this.#vectors[site]!, (value) => (2n * ring.q * value + ring.t) / (2n * ring.t));
    const whole = Array.from({ length: ring.degree }, (_, index) => (message[index] ?? 0n) + (index === at ? off : 0n));
    const changed = epoch.uploadOf(ring.add(keyed, ring.toSlots(whole)), K, this.expected.length);
    return this.#uploads.map((upload, index) => (index === site ? changed : upload));
  }

  #only(at: number, value: bigint) {
    const { ring } = this.epoch;
    return ring.toSlots(Array.from({ length: ring.degree }, (_, index) => (index === at ? value : 0n)));
  }
}
