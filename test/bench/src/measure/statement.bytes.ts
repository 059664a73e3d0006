import { type Predicate, signStatement } from '@coferment/consortium';
import { generateIdentity } from '@coferment/crypto';
import { SubmitShareRequest, SubmitStatementRequest } from '@coferment/proto';
import { toWire } from '../../../../coordinator/dist/agent-port/envelope.codec.js';

const DIGEST = 'a'.repeat(64);

/** Bytes of the signed statement that goes with an upload or a share, as a message on the wire. */
export function statementBytes(name: 'contribution' | 'share'): number {
  const inSum = { consortium: 'bench', run: 'r1-0123456789abcdef', e: DIGEST, kind: 'update' as const, sum: 100, k: DIGEST };
  const object = { site: 'site-10', blocks: 100, object: DIGEST, merkleRoot: DIGEST };
  const identity = generateIdentity();
  if (name === 'share') {
    const share: Predicate<'share'> = { ...inSum, ...object, t: DIGEST };
    return SubmitShareRequest.encode({ share: toWire(signStatement('share', share, identity)) }).finish().length;
  }
  const contribution: Predicate<'contribution'> = {
    ...inSum,
    ...object,
    attempt: 1,
    droppedBits: 100,
    ranges: DIGEST,
    sampleCommitment: DIGEST,
    batchCommitment: DIGEST,
    dataReportCommitment: DIGEST,
    backend: 'wasm',
  };
  return SubmitStatementRequest.encode({ statement: toWire(signStatement('contribution', contribution, identity)) }).finish().length;
}
