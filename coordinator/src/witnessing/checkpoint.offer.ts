import { type NoteSignature, type VerifierKey, appendSignatures, encodeVkey, parseNote, verifyCosignature } from '@coferment/ledger';
import { CoordinatorError } from '../errors/index.js';

/** A note has at most 100 signature lines (see `parseNote`), and the first is the log's. */
export const MOST_COSIGNATURES = 99;

/** A note that nobody could have made of one of ours is not read, in characters. A full one has about 15 kB. */
export const LONGEST_NOTE = 65_536;

/** Who may cosign a checkpoint and how many must, by the entries under it. */
export interface Electorate {
  keys: readonly VerifierKey[];
  quorum: number;
  /** C2SP tlog-policy that says the same. */
  policy: string;
}

/** A cosignature that holds. */
export interface Cosignature {
  key: VerifierKey;
  signature: NoteSignature;
  /** When the witness says that it signed. */
  time: Date;
}

/** A signed checkpoint that witnesses are asked to cosign, with the cosignatures that it has by now. */
export class CheckpointOffer {
  /** What is cosigned: the checkpoint's three lines. */
  readonly text: string;
  readonly #cosignatures = new Map<string, Cosignature>();

  /**
   * @param size entries under it
   * @param signed the note with the log's own signature
   * @param beganMs when it was offered first
   */
  constructor(
    readonly size: number,
    readonly signed: string,
    readonly electorate: Electorate,
    readonly beganMs: number,
  ) {
    this.text = parseNote(signed).text;
  }

  /** The note with every cosignature, in the order in which they came. */
  get note(): string {
    return appendSignatures(
      this.signed,
      this.cosignatures.map(({ signature }) => signature),
    );
  }

  get cosignatures(): readonly Cosignature[] {
    return [...this.#cosignatures.values()];
  }

  isCosignedBy(key: VerifierKey): boolean {
    return this.#cosignatures.has(encodeVkey(key));
  }

  /** Cosignatures that count. Witnesses whom nothing but the operator names are shown and do not. */
  get counted(): number {
    return this.electorate.keys.filter((key) => this.isCosignedBy(key)).length;
  }

  get isMet(): boolean {
    return this.counted >= this.electorate.quorum;
  }

  /** Whether its cosignature would count. */
  hasElector(key: VerifierKey): boolean {
    const vkey = encodeVkey(key);
    return this.electorate.keys.some((known) => encodeVkey(known) === vkey);
  }

  /** Whether the quorum can be met at all by the witnesses that are known. */
  get isReachable(): boolean {
    return this.electorate.keys.length >= this.electorate.quorum;
  }

  get isFull(): boolean {
    return this.#cosignatures.size >= MOST_COSIGNATURES;
  }

  /**
   * The key's cosignature among these lines, verified. Nothing is added.
   * @throws CoordinatorError 'forbidden' when there is none of this key, 'bad-signature' when it does not hold
   */
  verify(signatures: readonly NoteSignature[], key: VerifierKey): Cosignature {
    const signature = signatures.find(({ name, keyId }) => name === key.name && keyId === key.keyId);
    if (signature === undefined)
      throw new CoordinatorError(
        'forbidden',
        `The checkpoint of ${this.size} entries came without a cosignature by ${key.name}+${key.keyId}. Every witness brings its own, made with the key that the ledger has.`,
      );
    const time = verifyCosignature(this.text, signature.bytes, key.publicKey);
    if (time === undefined)
      throw new CoordinatorError(
        'bad-signature',
        `The cosignature of ${key.name}+${key.keyId} does not hold for the checkpoint of ${this.size} entries. Nothing was stored.`,
      );
    return { key, signature, time: new Date(Number(time) * 1000) };
  }

  /** The first of each key stays: another of the same witness says nothing new. */
  add(cosignature: Cosignature): void {
    const vkey = encodeVkey(cosignature.key);
    if (!this.#cosignatures.has(vkey) && !this.isFull) this.#cosignatures.set(vkey, cosignature);
  }
}
