import { type NoteSigner, type VerifierKey, parseCheckpoint, parseNote } from '../note/index.js';
import type { AddCheckpoint } from './add-checkpoint.request.js';
import { type Consideration, type SeenCheckpoint, considerCheckpoint, cosignatureLine } from './checkpoint.witness.js';
import type { WitnessStore } from './witness.store.js';

/** What a log is answered (C2SP tlog-witness). */
export type DeskAnswer =
  | { readonly kind: 'cosigned'; readonly lines: string; readonly size: bigint }
  /** The log is behind, or ahead of a split: this is what was cosigned last. */
  | { readonly kind: 'conflict'; readonly size: bigint; readonly isSplit: boolean }
  | { readonly kind: 'malformed' | 'unknown-origin' | 'not-signed' | 'unproven'; readonly reason: string };

/** Takes checkpoints of the logs it knows, and answers only after what it will remember is on disk. */
export class WitnessDesk {
  constructor(
    private readonly store: WitnessStore,
    private readonly signer: NoteSigner,
    private readonly unixSeconds: () => bigint = () => BigInt(Math.floor(Date.now() / 1000)),
  ) {}

  add({ oldSize, proof, note }: AddCheckpoint): DeskAnswer {
    let claimed: { origin: string; size: bigint };
    try {
      claimed = parseCheckpoint(parseNote(note).text);
    } catch (error) {
      return { kind: 'malformed', reason: (error as Error).message };
    }
    const { origin, size } = claimed;
    const logKeys = this.store.logKeys().filter(({ name }) => name === origin);
    if (logKeys.length === 0) return { kind: 'unknown-origin', reason: `this witness does not know the log "${origin}"` };
    if (oldSize > size) return { kind: 'malformed', reason: `the old size ${oldSize} is larger than the checkpoint's ${size}` };

    const { answer, considered } = this.store.advance(origin, (last) => decide({ origin, logKeys, last, note, proof, oldSize, size }));
    if (considered.kind === 'split-view') this.store.keep(considered.evidence, 'proved');
    // A proof from another size than the last one proves nothing either way.
    else if (considered.kind === 'refused' && considered.suspicion && answer.kind === 'unproven')
      this.store.keep(considered.suspicion, 'open');
    if (answer.kind !== 'accepted') return answer;
    return { kind: 'cosigned', size, lines: cosignatureLine(note, this.unixSeconds(), this.signer) };
  }

  /** The last checkpoint of a log that this witness has cosigned. */
  last(origin: string): SeenCheckpoint | undefined {
    return this.store.seen(origin);
  }
}

interface Decision {
  readonly answer: Exclude<DeskAnswer, { kind: 'cosigned' }> | { readonly kind: 'accepted' };
  readonly considered: Consideration;
  readonly next?: SeenCheckpoint;
}

interface Offer extends AddCheckpoint {
  readonly origin: string;
  readonly logKeys: readonly VerifierKey[];
  readonly last: SeenCheckpoint | undefined;
  readonly size: bigint;
}

function decide({ oldSize, size, ...offer }: Offer): Decision {
  const considered = considerCheckpoint(offer);
  const known = offer.last?.size ?? 0n;
  const conflict = (isSplit: boolean) => ({ kind: 'conflict' as const, size: known, isSplit });
  switch (considered.kind) {
    case 'split-view':
      // Over one size the protocol has a conflict; over two, a proof that does not hold. A proof from a wrong old size shows a split too.
      return {
        considered,
        answer:
          size === known || oldSize !== known
            ? conflict(true)
            : { kind: 'unproven', reason: 'the proof shows another history than the one cosigned' },
      };
    case 'refused': {
      const { code, reason } = considered;
      const isAboutTheLog = code === 'impossible' || code === 'stale' || code === 'unproven';
      if (!isAboutTheLog) return { considered, answer: { kind: code, reason } };
      return { considered, answer: oldSize === known ? { kind: 'unproven', reason } : conflict(false) };
    }
    case 'known':
      if (oldSize !== known) return { considered, answer: conflict(false) };
      return offer.proof.length === 0
        ? { considered, answer: { kind: 'accepted' } }
        : { considered, answer: { kind: 'unproven', reason: 'a proof came for a checkpoint of the same size' } };
    case 'cosign':
      return oldSize === known
        ? { considered, answer: { kind: 'accepted' }, next: considered.seen }
        : { considered, answer: conflict(false) };
  }
}
