import { type Dispatcher, request } from 'undici';
import { LONGEST_NOTE } from './checkpoint.offer.js';

/** What a witness said to a checkpoint (C2SP tlog-witness). */
type WitnessAnswer =
  | { kind: 'cosigned'; lines: string }
  /** It has cosigned so many entries last: the proof has to begin there. */
  | { kind: 'conflict'; size: number }
  /** It does not cosign this. */
  | { kind: 'refused'; status: number };

/** By its own word, the witness has cosigned more entries than it was brought. */
export class WitnessAhead extends Error {
  constructor(
    readonly size: number,
    brought: number,
  ) {
    super(`it has cosigned ${size} entries; ${brought} are offered now`);
  }
}

/** A checkpoint that is to be cosigned. */
export interface BroughtCheckpoint {
  size: number;
  /** Signed by the log. */
  signed: string;
  /** RFC 9162, from the first `oldSize` entries, which are more than none. */
  proofFrom(oldSize: number): Promise<readonly Uint8Array[]>;
}

const LONGEST_CALL_MS = 10_000;
/** It may have been called by another coordinator's process before; whoever names another size more often than this in a row says anything. */
const MOST_CONFLICTS = 3;

/**
 * Brings a witness a checkpoint. It is believed in nothing: its answer has a limit, redirects are not followed, and the lines that it sends are for the caller to verify.
 * @param known entries that it has cosigned last, as far as is known
 * @returns the lines of its answer. @throws Error saying what is wrong with the witness
 */
export async function bringCheckpoint(
  url: string,
  checkpoint: BroughtCheckpoint,
  known: number,
  how: { dispatcher: Dispatcher; signal: AbortSignal },
): Promise<string> {
  const { size } = checkpoint;
  let oldSize = known;
  for (let conflicts = 0; conflicts <= MOST_CONFLICTS; conflicts++) {
    if (oldSize > size) throw new WitnessAhead(oldSize, size);
    const proof = oldSize === 0 ? [] : await checkpoint.proofFrom(oldSize);
    const answer = await addCheckpoint(url, requestBody(oldSize, proof, checkpoint.signed), how);
    switch (answer.kind) {
      case 'cosigned':
        return answer.lines;
      case 'conflict':
        oldSize = answer.size;
        break;
      case 'refused':
        throw new Error(refusedText(answer.status, oldSize, size));
    }
  }
  throw new Error(`it names another size each time, ${oldSize} at last`);
}

function requestBody(oldSize: number, proof: readonly Uint8Array[], checkpoint: string): string {
  return [`old ${oldSize}`, ...proof.map((hash) => Buffer.from(hash).toString('base64')), '', checkpoint].join('\n');
}

async function addCheckpoint(
  url: string,
  body: string,
  { dispatcher, signal }: { dispatcher: Dispatcher; signal: AbortSignal },
): Promise<WitnessAnswer> {
  const { statusCode, body: answer } = await request(`${url}/add-checkpoint`, {
    method: 'POST',
    body,
    dispatcher,
    headers: { 'content-type': 'text/plain; charset=utf-8' },
    signal: AbortSignal.any([signal, AbortSignal.timeout(LONGEST_CALL_MS)]),
  });
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > LONGEST_NOTE) throw new Error(`its answer has more than ${LONGEST_NOTE} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (statusCode === 200) return { kind: 'cosigned', lines: text };
  const size = statusCode === 409 ? /^(0|[1-9][0-9]{0,14})\n?$/.exec(text)?.[1] : undefined;
  return size === undefined ? { kind: 'refused', status: statusCode } : { kind: 'conflict', size: Number(size) };
}

function refusedText(status: number, oldSize: number, size: number): string {
  switch (status) {
    case 403:
      return 'it does not know the key of this ledger (403); give its operator the key that "coferment start" shows';
    case 404:
      return 'it does not know this ledger (404); ask its operator to add it';
    case 422:
      return `it does not accept that ${size} entries extend the ${oldSize} that it has cosigned (422); it may have seen another ledger of this name`;
    default:
      return `it answered with status ${status}`;
  }
}
