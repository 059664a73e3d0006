import { type OpenedCheckpoint, openCheckpoint, parseTlogProof, type VerifierKey } from '@coferment/ledger';
import { z } from 'zod';
import { AgentError } from '../agent.error.js';
import { printable } from '../printable.text.js';

const MOST_CHARACTERS = 2_000_000;
const RECEIPT = 'c2sp.org/tlog-proof@v1\n';

/** Where JSON that members hand on has a checkpoint: status of an agent, an answer of ledger checkpoint, a Sigstore bundle. */
const places = z.union([
  z.object({ checkpoint: z.string() }).transform(({ checkpoint }) => checkpoint),
  z.object({ cosigned: z.object({ checkpoint: z.string() }) }).transform(({ cosigned }) => cosigned.checkpoint),
  z
    .object({
      verificationMaterial: z.object({
        tlogEntries: z.tuple([z.object({ inclusionProof: z.object({ checkpoint: z.object({ envelope: z.string() }) }) })]),
      }),
    })
    .transform(({ verificationMaterial }) => verificationMaterial.tlogEntries[0].inclusionProof.checkpoint.envelope),
]);

/**
 * The checkpoint that another member has handed over, as a note, a receipt, or JSON.
 * @throws AgentError 'checkpoint-refused' unless it is signed by the log's key
 */
export function readForeignCheckpoint(text: string, log: VerifierKey): OpenedCheckpoint {
  try {
    if (text.length > MOST_CHARACTERS) throw new Error(`it has ${text.length} characters; at most ${MOST_CHARACTERS} are read`);
    return openCheckpoint(noteIn(text), [log]);
  } catch (error) {
    throw new AgentError(
      'checkpoint-refused',
      `This file has no checkpoint that the log "${log.name}" has signed: ${printable((error as Error).message)}. It proves nothing about the log. Ask the member for the output of "coferment-agent ledger checkpoint".`,
    );
  }
}

function noteIn(text: string): string {
  if (text.startsWith(RECEIPT)) return parseTlogProof(text).checkpoint;
  if (!text.trimStart().startsWith('{')) return text;
  const found = places.safeParse(JSON.parse(text));
  if (!found.success) throw new Error('none of the fields in which a checkpoint stands is there');
  return found.data;
}
