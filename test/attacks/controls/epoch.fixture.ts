import { planAggregation, setDigest } from '@coferment/consortium';
import {
  type AggregationParameters,
  checkDealing,
  combine,
  type Combination,
  type CommitteeConstants,
  committeeConstants,
  deal,
  type Dealing,
  decryptionShare,
  encryptVector,
  type ParameterSetName,
  sumKeyShares,
  xof,
} from '@coferment/crypto';
import { AttackerRing, bytesOf, type Coefficients, type Slots, slotsOf } from './ring.fixture.js';

export interface EpochChoice {
  sites: number;
  keyHolders: number;
  threshold: number;
  set?: ParameterSetName;
  /** Changes the planned parameters, for weakened variants. */
  change?: Partial<AggregationParameters>;
  /** Sites whose dealing is not an honest one. */
  dealers?: Readonly<Record<string, (epoch: HonestEpoch) => Dealing>>;
}

/** A key epoch of honest sites (but for `dealers`), dealt and checked with the product's own functions, and the product's way to encrypt, release and open in it. */
export class HonestEpoch {
  readonly parameters: AggregationParameters;
  readonly ring: AttackerRing;
  readonly committee: CommitteeConstants;
  readonly sites: readonly string[];
  readonly e0 = 'e0-of-the-attacked-epoch';
  readonly dealings: ReadonlyMap<string, Dealing>;
  readonly #keyShares: ReadonlyMap<string, Uint8Array>[];

  constructor({ sites, keyHolders, threshold, set = 'INSECURE_TEST_1024', change = {}, dealers = {} }: EpochChoice) {
    this.parameters = { ...planAggregation({ sites, keyHolders, threshold, set }), ...change };
    this.ring = AttackerRing.of(this.parameters);
    this.committee = committeeConstants(keyHolders, threshold);
    this.sites = Array.from({ length: sites }, (_, index) => `site-${String(index).padStart(2, '0')}`);
    const { e0, parameters } = this;
    this.dealings = new Map(this.sites.map((dealer) => [dealer, dealers[dealer]?.(this) ?? deal({ e0, dealer, parameters })]));
    this.#keyShares = Array.from({ length: keyHolders }, (_, holderIndex) => {
      const checked = [...this.dealings].map(([dealer, { commitments, masked, privateShares }]) => {
        const privateShare = privateShares[holderIndex]!;
        return [dealer, checkDealing({ e0, dealer, holderIndex, parameters, commitments, masked, privateShare })] as const;
      });
      return new Map(checked);
    });
  }

  get holders(): number[] {
    return this.committee.points.map((_, index) => index);
  }

  secretKey(site: string): Uint8Array {
    return this.dealings.get(site)!.secretKey;
  }

  /** S_i(α_j) */
  keyShare(holder: number, site: string): Uint8Array {
    return this.#keyShares[holder]!.get(site)!;
  }

  /** S_A(α_j) */
  keyShareSum(holder: number, sites: readonly string[]): Uint8Array {
    return sumKeyShares(sites.map((site) => this.keyShare(holder, site)));
  }

  /** As an honest site encrypts. */
  encrypt(site: string, k: string, coefficients: BigUint64Array): Uint8Array {
    return encryptVector({ parameters: this.parameters, k, secretKey: this.secretKey(site), coefficients });
  }

  /** As an honest holder releases; `keyShareSum` replaces what it holds for A. */
  release(
    holder: number,
    request: { k: string; sites: readonly string[]; coefficients: number; kind?: string; keyShareSum?: Uint8Array },
  ): Uint8Array {
    const { k, sites, coefficients, kind = 'update', keyShareSum = this.keyShareSum(holder, sites) } = request;
    return decryptionShare({
      parameters: this.parameters,
      k,
      setDigest: setDigest(sites),
      kind,
      holder: `holder-${holder}`,
      holderIndex: holder,
      keyShareSum,
      noiseKey: new Uint8Array(32).fill(holder + 1),
      coefficients,
    });
  }

  releaseAll(holders: readonly number[], request: Parameters<HonestEpoch['release']>[1]): Map<number, Uint8Array> {
    return new Map(holders.map((holder) => [holder, this.release(holder, request)]));
  }

  open(uploads: readonly Uint8Array[], coefficients: number, shares: ReadonlyMap<number, Uint8Array>): Combination {
    return combine({ parameters: this.parameters, sum: uploads, coefficients, addends: uploads.length, shares });
  }

  /** The secret key as coefficients −1, 0, 1. */
  ternary(site: string): Coefficients {
    return this.ring.toCoefficients(slotsOf(this.secretKey(site))).map((value) => this.ring.centred(value));
  }

  /**
   * An upload of a polynomial that the attackers choose, through the product's own encoder: encrypting zeros under the "key" −wanted/a gives it, up to an
   * error of at most 21.
   */
  uploadOf(wanted: Slots, k: string, coefficients: number): Uint8Array {
    const { ring, parameters } = this;
    const key = ring.divide(ring.scale(wanted, -1n), ring.publicElement(k));
    return encryptVector({ parameters, k, secretKey: bytesOf(key), coefficients: new BigUint64Array(coefficients) });
  }

  /** A key share with which an honest release of `holder` is off by `lie` in its first block: S + lie/(L1·a). */
  lyingKeyShare(holder: number, sites: readonly string[], k: string, lie: Slots): Uint8Array {
    const { ring, committee } = this;
    const shift = ring.divide(lie, ring.scale(ring.publicElement(k), committee.L1));
    return bytesOf(ring.add(slotsOf(this.keyShareSum(holder, sites)), shift));
  }
}

/** A model update as sites send it: integers of `valueBits` bits around the zero point, small beside their range because ranges leave headroom. */
export function exampleUpdate(site: string, length: number, { valueBits }: AggregationParameters): Uint32Array {
  const stream = xof('attack-example-update', site);
  const zero = 2 ** (valueBits - 1);
  // A sum of four uniform draws less its mean, within an eighth of the range.
  const draws = new Uint32Array(stream.read(length * 16).buffer);
  return Uint32Array.from({ length }, (_, index) => {
    const sum = draws[4 * index]! + draws[4 * index + 1]! + draws[4 * index + 2]! + draws[4 * index + 3]!;
    return zero + Math.round(((sum / 2 ** 32 - 2) * zero) / 16);
  });
}
