import { type CommitmentOpening, type CommittedFact, openingOf, type SumKind } from '@coferment/consortium';
import { bytesToHex, digest, hash, hexToBytes } from '@coferment/crypto';

/** What a contribution tells of the records behind it; travels only as salted commitments. */
export interface VectorFacts {
  /** Rows behind the vector. */
  samples: number;
  /** Batches that these rows are of. */
  batches: number;
  /** Digest of the site's data report; see data-report.digest. */
  dataReport: string;
}

/** Where there are no records: confirmations of a key, and vectors that an agent from before these facts has kept. */
export const NO_BATCHES = 0;
export const NO_DATA_REPORT = '0'.repeat(64);

/** The vector of one sum, quantised and packed. It is the only one ever encrypted for its key. */
export interface StoredVector extends VectorFacts {
  coefficients: BigUint64Array;
  salt: Uint8Array;
  backend: 'wasm' | 'cpu' | 'tensorflow' | 'none';
  /** Values that hit their range; told to this site only. */
  saturated: number;
}

/** Where a vector came from, and what its site trained on: enough to make it again. */
export interface VectorOrigin {
  run: string;
  epoch: number;
  sum: number;
  round: number;
  /** The object that holds the state it started from; null for statistics. */
  start: string | null;
  /** SHA-256 of the records as they were read, and of the mapping file. */
  batches: string;
  mapping: string;
  software: string;
}

export function vectorName(plan: string, kind: SumKind, modelIn: string): string {
  return `vector/${plan}/${kind}/${modelIn}`;
}

export function saltName(commitment: string): string {
  return `commitment-salt/${commitment}`;
}

/**
 * What the record says of a vector. A vector of few numbers could be found from its plain digest by trying; this one needs the salt. It goes through a hash
 * of its own, so that whoever is shown it to check a vector does not learn the number of samples that the same salt hides in the ledger.
 */
export function vectorCommitment(salt: Uint8Array, coefficients: BigUint64Array): string {
  return digest('vector-commitment', hash('vector-commitment-salt', salt), wordBytes(coefficients));
}

/** Each opens one commitment of a contribution. The salt itself never leaves: from it all of them would follow. */
export function openingsOf({ samples, batches, dataReport }: VectorFacts, salt: Uint8Array): Record<CommittedFact, CommitmentOpening> {
  return {
    samples: openingOf('samples', salt, samples),
    batches: openingOf('batches', salt, batches),
    'data-report': openingOf('data-report', salt, dataReport),
  };
}

/** What the record says of records that were trained on. */
export function recordsCommitment(salt: Uint8Array, what: 'batches' | 'mapping', content: string): string {
  return digest('records-commitment', hash('records-commitment-salt', salt), what, content);
}

/** As the record has it: what tells about records, under the salt. */
export function committed(origin: VectorOrigin, salt: Uint8Array): VectorOrigin {
  const { batches, mapping } = origin;
  return {
    ...origin,
    batches: recordsCommitment(salt, 'batches', batches),
    mapping: recordsCommitment(salt, 'mapping', mapping),
  };
}

export function wordBytes(words: BigUint64Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

const LINE_END = 10;

/** One line of JSON, then the coefficients. */
export function encodeVector({ coefficients, salt, ...rest }: StoredVector): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify({ ...rest, salt: bytesToHex(salt) })}\n`), wordBytes(coefficients)]);
}

export function decodeVector(bytes: Uint8Array): StoredVector {
  const end = bytes.indexOf(LINE_END);
  const head = JSON.parse(Buffer.from(bytes.subarray(0, end)).toString('utf8')) as Omit<StoredVector, 'coefficients' | 'salt'> & {
    salt: string;
  };
  const unsaid = { batches: NO_BATCHES, dataReport: NO_DATA_REPORT };
  return { ...unsaid, ...head, salt: hexToBytes(head.salt), coefficients: new BigUint64Array(bytes.slice(end + 1).buffer) };
}

const SALT_BYTES = 32;

/** What stays when a vector is erased with its run: its salt, and what the salt hides in the ledger. */
export function encodeSalt({ salt, samples, batches, dataReport }: VectorFacts & { salt: Uint8Array }): Uint8Array {
  return Buffer.concat([salt, Buffer.from(JSON.stringify({ samples, batches, dataReport }))]);
}

/** `facts` are undefined where an agent from before them has kept the salt alone. */
export function decodeSalt(bytes: Uint8Array): { salt: Uint8Array; facts: VectorFacts | undefined } {
  const rest = Buffer.from(bytes.subarray(SALT_BYTES)).toString('utf8');
  return { salt: new Uint8Array(bytes.subarray(0, SALT_BYTES)), facts: rest === '' ? undefined : (JSON.parse(rest) as VectorFacts) };
}
