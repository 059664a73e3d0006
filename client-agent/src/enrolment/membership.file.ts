import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressSchema, digestSchema, siteIdSchema } from '@coferment/consortium';
import { z } from 'zod';
import { AgentError } from '../agent.error.js';
import { writeFileDurably } from '../keys/atomic.file.js';

const schema = z.strictObject({
  schema: z.literal(1),
  consortium: z.string().min(1).max(64),
  site: siteIdSchema,
  identityKey: digestSchema,
  coordinator: addressSchema,
  serverName: z.string().min(1).max(253),
  caCertificate: z.string().max(10_000),
  operatorKey: digestSchema,
  logVkey: z.string().max(500),
  origin: z.string().max(200),
  certificateExpiresAt: z.iso.datetime(),
});

/** What a site knows about its consortium. Nothing in it is secret, so `identity` and `status` need no passphrase. */
export type Membership = z.infer<typeof schema>;

const FILE = 'member.json';

export function isMember(folder: string): boolean {
  return existsSync(join(folder, FILE));
}

export function writeMembership(folder: string, membership: Membership): void {
  writeFileDurably(join(folder, FILE), Buffer.from(`${JSON.stringify(membership, null, 2)}\n`));
}

/** @throws AgentError 'not-joined' or 'store-damaged' */
export function readMembership(folder: string): Membership {
  if (!isMember(folder)) {
    throw new AgentError(
      'not-joined',
      `${folder} belongs to no consortium yet. Join first: coferment-agent join INVITE --data ${folder} --passphrase-file F`,
    );
  }
  try {
    return schema.parse(JSON.parse(readFileSync(join(folder, FILE), 'utf8')));
  } catch (error) {
    throw new AgentError(
      'store-damaged',
      `${join(folder, FILE)} is damaged (${(error as Error).message}). Restore this folder from its backup.`,
    );
  }
}
