import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressSchema, companySchema, digestSchema, saltSchema, siteIdSchema } from '@coferment/consortium';
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
  /** PEM, one after the other: in the overlap of a rollover there are two. */
  caCertificate: z.string().max(20_100),
  /** Sequence number of the authorities act that they are from; absent while they are the invite's. */
  authorities: z.int().positive().optional(),
  operatorKey: digestSchema,
  logVkey: z.string().max(500),
  origin: z.string().max(200),
  certificateExpiresAt: z.iso.datetime(),
  role: z.enum(['site', 'auditor']).default('site'),
  /** Where `site` is a pseudonym: the company's name and the salt that open it. They never leave this folder by themselves. */
  company: companySchema.optional(),
  salt: saltSchema.optional(),
});

/** What a site knows about its consortium. Nothing in it is secret, so `identity` and `status` need no passphrase. */
export type Membership = z.infer<typeof schema>;

const FILE = 'member.json';

export function isMember(folder: string): boolean {
  return existsSync(join(folder, FILE));
}

export function writeMembership(folder: string, membership: z.input<typeof schema>): void {
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
