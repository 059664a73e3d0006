import { randomBytes } from 'node:crypto';
import { z } from 'zod';

const nameSchema = z.strictObject({ schema: z.literal('coferment-objects/1'), id: z.string().regex(/^[0-9a-f]{32}$/) });

/** Text of a new `store.json`. */
export function newStoreName(): string {
  return `${JSON.stringify({ schema: 'coferment-objects/1', id: randomBytes(16).toString('hex') })}\n`;
}

/** @throws Error for a text that is no `store.json` */
export function parseStoreName(text: string): string {
  return nameSchema.parse(JSON.parse(text)).id;
}
