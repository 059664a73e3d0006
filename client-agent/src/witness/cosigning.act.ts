import { considerCheckpoint, cosignatureLine, type SeenCheckpoint, seenCheckpoint, type SplitView, splitViewText } from '@coferment/ledger';
import { AgentError } from '../agent.error.js';
import type { OfferedCheckpoint } from '../connection/coordinator.port.js';
import { keepEvidence } from './split.evidence.js';
import type { WitnessContext } from './witness.context.js';
import { witnessSigner } from './witness.key.js';

/**
 * What became of a checkpoint. `doubtful`: signed by the log, but older than the last, or without the proof that it extends the last; the coordinator is asked once
 * more, since a lost race or a spoiled answer looks like this too.
 */
export type Taken = 'cosigned' | 'doubtful' | 'stopped';

/**
 * Compares a checkpoint with the last one and cosigns it if it extends that: in one transaction, so that two processes on one folder, or two answers at once,
 * never get two histories cosigned. What is to be sent is stored when this returns.
 * @param isAskedAgain whether the answer before this one was doubtful too: then it is evidence
 * @throws AgentError 'checkpoint-refused' for what is no checkpoint of this log
 */
export function takeCheckpoint(context: WitnessContext, offer: OfferedCheckpoint, isAskedAgain: boolean, nowMs = Date.now()): Taken {
  const { journal, log, identity, site } = context;
  return journal.transaction((): Taken => {
    if (journal.evidence.undecided().length > 0) return 'stopped';
    const stored = journal.cosigned.latest();
    const last = stored === undefined ? undefined : seenCheckpoint(stored.note, [log]);
    const { note, proof } = offer;
    const considered = considerCheckpoint({ origin: log.name, logKeys: [log], last, note, proof });
    const cosign = ({ note: seen, size }: Pick<SeenCheckpoint, 'note' | 'size'>): Taken => {
      requireCountable(size);
      // Clocks are set back; times of one witness never are (C2SP tlog-cosignature).
      const seconds = Math.max(Math.floor(nowMs / 1000), stored?.signedS ?? 0);
      const cosigned = seen + cosignatureLine(seen, BigInt(seconds), witnessSigner(identity, log.name, site));
      const isRecorded = journal.cosigned.replace(cosigned, seconds);
      if (isRecorded) context.tell({ event: 'cosigned', size: size.toString() });
      return 'cosigned';
    };
    switch (considered.kind) {
      case 'cosign':
        return cosign(considered.seen);
      case 'known':
        return cosign(last!);
      case 'split-view':
        return stop(context, considered.evidence, 'The log has signed two different lists of the same length');
      case 'refused':
        if (considered.code === 'unproven' && considered.suspicion !== undefined)
          return isAskedAgain
            ? stop(context, considered.suspicion, `A signed checkpoint does not extend the last: ${considered.reason}`)
            : 'doubtful';
        if (considered.code === 'stale') {
          const shown = { origin: log.name, first: last!.note, second: seenCheckpoint(note, [log]).note };
          return isAskedAgain ? stop(context, shown, `The log shows an older state than before: ${considered.reason}`) : 'doubtful';
        }
        throw new AgentError(
          'checkpoint-refused',
          `The coordinator gave a checkpoint that this site does not cosign: ${considered.reason}. Nothing was signed. Ask the operator.`,
        );
    }
  });
}

function stop(context: WitnessContext, evidence: SplitView, what: string): Taken {
  keepEvidence(context, 'checkpoint', `${what}.`, splitViewText(evidence));
  return 'stopped';
}

/** Sizes travel as numbers; no log gets so long, but a signed checkpoint can say anything. */
function requireCountable(size: bigint): void {
  if (size > BigInt(Number.MAX_SAFE_INTEGER))
    throw new AgentError('checkpoint-refused', `The log has signed a checkpoint over ${size} entries, which no log has. Ask the operator.`);
}
