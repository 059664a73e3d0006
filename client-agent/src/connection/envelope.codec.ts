import { type DsseEnvelope, PAYLOAD_TYPE } from '@coferment/crypto';
import type { Envelope } from '@coferment/proto';
import { z } from 'zod';

/** A signed act as it travels, bounded before anything in it is read. */
export const wireEnvelopeSchema = z
  .object({
    payload: z.instanceof(Uint8Array).refine((bytes) => bytes.length > 0 && bytes.length <= 262_144, 'must have 1 to 262144 bytes'),
    keyid: z.string().regex(/^[0-9a-f]{64}$/, 'must be a key id of 64 hexadecimal digits'),
    signature: z.instanceof(Uint8Array).refine((bytes) => bytes.length === 64, 'must have 64 bytes'),
  })
  .transform(fromWire);

export function fromWire(envelope: { payload: Uint8Array; keyid: string; signature: Uint8Array }): DsseEnvelope {
  return {
    payloadType: PAYLOAD_TYPE,
    payload: Buffer.from(envelope.payload).toString('base64'),
    signatures: [{ keyid: envelope.keyid, sig: Buffer.from(envelope.signature).toString('base64') }],
  };
}

export function toWire(envelope: DsseEnvelope): Envelope {
  const [signature] = envelope.signatures;
  return { payload: Buffer.from(envelope.payload, 'base64'), keyid: signature.keyid, signature: Buffer.from(signature.sig, 'base64') };
}
