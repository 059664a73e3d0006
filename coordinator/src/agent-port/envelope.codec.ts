import { type DsseEnvelope, PAYLOAD_TYPE } from '@coferment/crypto';
import type { Envelope } from '@coferment/proto';
import { CoordinatorError } from '../errors/index.js';

const MAX_PAYLOAD_BYTES = 262_144;

/** From the wire. Sizes are checked before anything is parsed. */
export function fromWire(envelope: Envelope | undefined): DsseEnvelope {
  if (envelope === undefined) throw new CoordinatorError('malformed', 'The call carries no statement.');
  const { payload, keyid, signature } = envelope;
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new CoordinatorError('too-large', `A statement has ${payload.length} bytes; at most ${MAX_PAYLOAD_BYTES} are read.`);
  }
  if (!/^[0-9a-f]{64}$/.test(keyid))
    throw new CoordinatorError('malformed', 'The key id of a statement must be 64 lower-case hexadecimal digits.');
  if (signature.length !== 64)
    throw new CoordinatorError('malformed', `The signature of a statement has ${signature.length} bytes, not 64.`);
  return {
    payloadType: PAYLOAD_TYPE,
    payload: payload.toString('base64'),
    signatures: [{ keyid, sig: signature.toString('base64') }],
  };
}

export function toWire(envelope: DsseEnvelope): Envelope {
  const [{ keyid, sig }] = envelope.signatures;
  return { payload: Buffer.from(envelope.payload, 'base64'), keyid, signature: Buffer.from(sig, 'base64') };
}
