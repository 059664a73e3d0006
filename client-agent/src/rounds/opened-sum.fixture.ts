import { planAggregation } from '@coferment/consortium';
import {
  type AggregationParameters,
  type BlockSpan,
  checkDealing,
  ciphertextBlockDigests,
  ciphertextBlockSpan,
  deal,
  decryptionShare,
  digest,
  encryptVector,
  merkleRoot,
  sha256Hex,
  shareBlockDigests,
  shareBlockSpan,
  sumKeyShares,
} from '@coferment/crypto';
import type { OpenedBlock, SignedObject } from './spot.check.js';

const SITES = ['a', 'b', 'c', 'd'];
const K = digest('example-round');

/** An object with what its site signs for. */
export interface MadeObject extends SignedObject {
  bytes: Uint8Array;
  digests: Uint8Array[];
}

/** A sum of four honest sites, opened by all four key holders, of whom three are needed: two whole blocks of 1024 coefficients and a cut one. */
export class OpenedSum {
  readonly coefficients = 2 * 1024 + 77;
  readonly parameters: AggregationParameters = planAggregation({ sites: 4, keyHolders: 4, threshold: 3, set: 'INSECURE_TEST_1024' });
  readonly uploads: MadeObject[];
  readonly shares: MadeObject[];
  readonly published: BigUint64Array;

  constructor() {
    const { parameters, coefficients } = this;
    const dealings = SITES.map((dealer) => deal({ e0: 'e0', dealer, parameters }));
    this.uploads = dealings.map(({ secretKey }, site) => {
      const vector = BigUint64Array.from({ length: coefficients }, (_, index) => BigInt(index + 1000 * site));
      const bytes = encryptVector({ parameters, k: K, secretKey, coefficients: vector });
      return signed(`the upload of "${SITES[site]}"`, bytes, ciphertextBlockDigests(bytes, coefficients, parameters));
    });
    this.shares = SITES.map((holder, holderIndex) => {
      const keyShares = dealings.map(({ commitments, masked, privateShares }, dealer) =>
        checkDealing({
          e0: 'e0',
          dealer: SITES[dealer]!,
          holderIndex,
          parameters,
          commitments,
          masked,
          privateShare: privateShares[holderIndex]!,
        }),
      );
      const bytes = decryptionShare({
        parameters,
        k: K,
        setDigest: digest('example-set'),
        kind: 'update',
        holder,
        holderIndex,
        keyShareSum: sumKeyShares(keyShares),
        noiseKey: new Uint8Array(32).fill(holderIndex + 1),
        coefficients,
      });
      return signed(`the decryption share of "${holder}"`, bytes, shareBlockDigests(bytes, coefficients, parameters));
    });
    this.published = BigUint64Array.from({ length: coefficients }, (_, index) => BigInt(4 * index + 6000));
  }

  block(block: number): OpenedBlock {
    const { parameters, coefficients } = this;
    const upload = ciphertextBlockSpan(block, coefficients, parameters);
    const share = shareBlockSpan(block, coefficients, parameters);
    return {
      parameters,
      uploads: this.uploads.map(({ bytes }) => cut(bytes, upload)),
      shares: new Map(this.shares.map(({ bytes }, position) => [position, cut(bytes, share)])),
      published: this.published.slice(block * 1024, block * 1024 + upload.coefficients),
    };
  }
}

function signed(what: string, bytes: Uint8Array, digests: Uint8Array[]): MadeObject {
  return { what, bytes, digests, object: sha256Hex(bytes), merkleRoot: merkleRoot(digests), blocks: digests.length };
}

function cut(bytes: Uint8Array, { offset, length }: BlockSpan): Uint8Array {
  return bytes.slice(offset, offset + length);
}
