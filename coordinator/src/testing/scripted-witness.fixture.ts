import { bytesToHex, hash } from '@coferment/crypto';
import { type VerifierKey, appendSignatures, cosign, parseNote, publicKeyFromSeed, verifierKey, witnessName } from '@coferment/ledger';
import type { AwaitCheckpointResponse, GetCheckpointResponse, GetReceiptResponse } from '@coferment/proto';
import { ask } from '../cli/operator.client.js';
import type { ScriptedSite } from './scripted-site.fixture.js';

/** A site's other half: it cosigns what it is asked to, without looking. */
export class ScriptedWitness {
  readonly seed: Uint8Array;
  readonly key: VerifierKey;

  constructor(
    readonly scripted: ScriptedSite,
    origin: string,
    seed?: Uint8Array,
  ) {
    this.seed = seed ?? hash('witness-key', scripted.identity.privateKey.subarray(0, 32));
    this.key = verifierKey('witness', witnessName(origin, scripted.site), publicKeyFromSeed(this.seed));
  }

  /** Sends the site's witness-key. */
  declare(): Promise<string> {
    const { consortium, site } = this.scripted;
    return this.scripted.submit('witness-key', { consortium, site, key: bytesToHex(this.key.publicKey) });
  }

  await(oldSize: number, waitMs: number): Promise<AwaitCheckpointResponse> {
    const { ledger } = this.scripted.calls;
    return ask(ledger.awaitCheckpoint.bind(ledger), { oldSize, waitMs });
  }

  async add(note: string): Promise<void> {
    const { ledger } = this.scripted.calls;
    await ask(ledger.addCosignature.bind(ledger), { checkpoint: note });
  }

  /** The note with this witness's line at its end. */
  cosigned(note: string, timeS = BigInt(Math.floor(Date.now() / 1000))): string {
    return appendSignatures(note, [cosign(parseNote(note).text, timeS, { name: this.key.name, seed: this.seed })]);
  }

  /** Waits for a checkpoint and cosigns it. @returns the note that it was asked to cosign */
  async work(oldSize = 0, waitMs = 5000): Promise<string> {
    const { checkpoint } = await this.await(oldSize, waitMs);
    if (checkpoint === '') throw new Error(`nothing was offered to ${this.scripted.site} beyond ${oldSize} entries`);
    await this.add(this.cosigned(checkpoint));
    return checkpoint;
  }

  newest(): Promise<GetCheckpointResponse> {
    const { ledger } = this.scripted.calls;
    return ask(ledger.getCheckpoint.bind(ledger), {});
  }

  receipt(payloadDigest: string): Promise<GetReceiptResponse> {
    const { ledger } = this.scripted.calls;
    return ask(ledger.getReceipt.bind(ledger), { payloadDigest });
  }
}
