import { sha256Hex } from '@coferment/crypto';
import { z } from 'zod';
import { canonicalBytes } from '../statements/index.js';
import { type Plan, planSchema } from './plan.schema.js';

/** The plan as RFC 8785 (JSON Canonicalization Scheme) UTF-8 bytes, defaults written in, lengths of time in their one spelling. */
export function planBytes(plan: Plan): Uint8Array {
  return canonicalBytes(z.encode(planSchema, plan));
}

/** The plan's name everywhere: SHA-256 of its canonical bytes, 64 hex characters. A default that changes changes the names of plans that rely on it. */
export function planDigest(plan: Plan): string {
  return sha256Hex(planBytes(plan));
}
