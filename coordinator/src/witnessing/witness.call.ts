import { request, type Dispatcher } from 'undici';
import { LONGEST_NOTE } from './witnessing.service.js';

/** What a witness said to a checkpoint (C2SP tlog-witness). */
export type WitnessAnswer =
  | { kind: 'cosigned'; lines: string }
  /** It has cosigned so many entries last: the proof has to begin there. */
  | { kind: 'conflict'; size: number }
  /** It does not cosign this. */
  | { kind: 'refused'; status: number };

const LONGEST_CALL_MS = 10_000;

/** The body of an `add-checkpoint` request. @param proof consistency of the checkpoint with the first `oldSize` entries, RFC 9162 */
export function addCheckpointBody(oldSize: number, proof: readonly Uint8Array[], checkpoint: string): string {
  return [`old ${oldSize}`, ...proof.map((hash) => Buffer.from(hash).toString('base64')), '', checkpoint].join('\n');
}

/** One call. The witness is believed in nothing: its answer has a limit, and redirects are not followed. @throws Error when it cannot be reached or does not answer in time */
export async function addCheckpoint(url: string, body: string, dispatcher: Dispatcher, signal: AbortSignal): Promise<WitnessAnswer> {
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
  const size = statusCode === 409 ? /^(0|[1-9][0-9]{0,15})\n?$/.exec(text)?.[1] : undefined;
  return size === undefined ? { kind: 'refused', status: statusCode } : { kind: 'conflict', size: Number(size) };
}
