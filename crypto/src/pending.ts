import { CryptoError } from './crypto.error.js';
import type { AggregationParameters } from './ring/parameter.set.js';

const pending = (): never => {
  throw new CryptoError('not-loaded', 'Not built yet.');
};
type P = AggregationParameters;

export interface CommitteeConstants {
  keyHolders: number;
  threshold: number;
  points: number[];
  L1: bigint;
  maxDrown: bigint;
  worstL2: bigint;
}
export const committeeConstants = (_keyHolders: number, _threshold: number): CommitteeConstants => pending();
export const lagrangeAtZero = (_points: readonly number[], _subset: readonly number[]): { numerator: bigint; denominator: bigint }[] =>
  pending();
export const combinationScale = (_points: readonly number[], _subset: readonly number[]): bigint => pending();

export interface Dealing {
  secretKey: Uint8Array;
  commitments: string[];
  masked: Uint8Array;
  privateShares: Uint8Array[];
}
export const deal = (_input: { e0: string; dealer: string; parameters: P }): Dealing => pending();
export interface DealingCheck {
  e0: string;
  dealer: string;
  holderIndex: number;
  parameters: P;
  commitments: readonly string[];
  masked: Uint8Array;
  privateShare: Uint8Array;
}
export const checkDealing = (_input: DealingCheck): Uint8Array => pending();
export interface DealingShareLabel {
  e0: string;
  dealer: string;
  holder: string;
}
export const sealDealingShare = (
  _label: DealingShareLabel,
  _share: Uint8Array,
  _recipientPublic: Uint8Array,
  _senderPrivate: Uint8Array,
): Uint8Array => pending();
export const openDealingShare = (
  _label: DealingShareLabel,
  _sealed: Uint8Array,
  _senderPublic: Uint8Array,
  _recipientPrivate: Uint8Array,
): Uint8Array => pending();

export interface VectorShape {
  packed: number;
  exact: number;
}
export const EXACT_BITS = 48;
export const coefficientCount = (_shape: VectorShape, _parameters: P): number => pending();
export const blockCount = (_shape: VectorShape, _parameters: P): number => pending();
export const packVector = (
  _shape: VectorShape,
  _parameters: P,
  _packed: Uint32Array,
  _exact: readonly bigint[] | Float64Array,
): BigUint64Array => pending();
export const unpackSum = (
  _shape: VectorShape,
  _parameters: P,
  _coefficients: BigUint64Array,
  _addends: number,
): { packed: Float64Array; exact: bigint[] } => pending();
export const ciphertextBlockBytes = (_parameters: P): number => pending();
export const shareBlockBytes = (_parameters: P): number => pending();
export const encryptVector = (_input: { parameters: P; k: string; secretKey: Uint8Array; coefficients: BigUint64Array }): Uint8Array =>
  pending();
export const ciphertextBlockDigests = (_bytes: Uint8Array, _parameters: P): Uint8Array[] => pending();
export const shareBlockDigests = (_bytes: Uint8Array, _parameters: P): Uint8Array[] => pending();
export const sumKeyShares = (_shares: readonly Uint8Array[]): Uint8Array => pending();
export interface DecryptionShareInput {
  parameters: P;
  k: string;
  setDigest: string;
  kind: string;
  holder: string;
  holderIndex: number;
  keyShareSum: Uint8Array;
  noiseKey: Uint8Array;
  blocks: number;
}
export const decryptionShare = (_input: DecryptionShareInput): Uint8Array => pending();
export interface CiphertextSum {
  blocks: number;
  addends: number;
  residues: BigUint64Array;
}
export const sumCiphertexts = (_uploads: Iterable<Uint8Array>, _parameters: P): CiphertextSum => pending();
export interface CombineInput {
  parameters: P;
  sum: CiphertextSum | readonly Uint8Array[];
  addends: number;
  shares: ReadonlyMap<number, Uint8Array>;
}
export type Combination = { ok: true; coefficients: BigUint64Array } | { ok: false; reason: 'parity' | 'residual'; wrong?: number[] };
export const combine = (_input: CombineInput): Combination => pending();
