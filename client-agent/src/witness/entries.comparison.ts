import { bytesToHex } from '@coferment/crypto';
import { encodeVkey, MerkleFrontier, verifyConsistency } from '@coferment/ledger';
import { keepEvidence } from './split.evidence.js';
import type { WitnessContext } from './witness.context.js';

/**
 * Whether the entries that this site was shown are those of the checkpoints that it cosigns: a coordinator could give it a history without its forgotten acts, and
 * have another one cosigned. Compared once for each time that the ledger was read.
 */
export class EntriesComparison {
  #compared = 0;
  #isDoubtful = false;

  constructor(private readonly context: WitnessContext) {}

  async compare(): Promise<void> {
    const { journal, port, log } = this.context;
    const { entries, subtrees } = journal.ownActs.position();
    const cosigned = journal.cosigned.latest();
    // Entries beyond the last checkpoint wait for the next one.
    if (subtrees === undefined || entries === 0 || entries === this.#compared || cosigned === undefined || entries > cosigned.size) return;
    const newerSize = cosigned.size;
    const olderRoot = MerkleFrontier.resume(BigInt(entries), subtrees).root();
    const proof = BigInt(entries) === newerSize ? [] : await port.consistencyProof(entries, Number(newerSize));
    if (verifyConsistency({ olderSize: BigInt(entries), olderRoot, newerSize, newerRoot: cosigned.root, proof })) {
      this.#compared = entries;
      this.#isDoubtful = false;
      return;
    }
    // A spoiled answer looks like this too: asked twice, the coordinator has no proof.
    if (BigInt(entries) !== newerSize && !this.#isDoubtful) {
      this.#isDoubtful = true;
      return;
    }
    const what = `The entries 0 to ${entries - 1} of the ledger, as the coordinator gave them to this site, are not those of the checkpoint over ${newerSize} entries that this site has cosigned.`;
    const shown = {
      format: 'coferment-shown-entries/1',
      log: encodeVkey(log),
      checkpoint: cosigned.note,
      entries,
      root: bytesToHex(olderRoot),
    };
    keepEvidence(this.context, 'entries', what, `${JSON.stringify(shown, undefined, 2)}\n`);
  }
}
