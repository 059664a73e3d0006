import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { envelopeSchema } from '@coferment/consortium';
import type { DsseEnvelope } from '@coferment/crypto';
import { z } from 'zod';
import { AgentError } from '../agent.error.js';
import { writeFileDurably } from '../keys/atomic.file.js';
import type { Membership } from './membership.file.js';

const schema = z.strictObject({
  schema: z.literal(1),
  site: z.string(),
  consortium: z.string(),
  decidedAt: z.iso.datetime(),
  /** asked: signed, and perhaps heard. told: the coordinator has it. done: what is not kept is erased. */
  state: z.enum(['asked', 'told', 'done']),
  /** The signed site-left: the site's own proof of when it said so. */
  statement: envelopeSchema,
});

/** The end of a membership, step by step, so that leaving goes on wherever it was cut off. */
export type Departure = Omit<z.infer<typeof schema>, 'statement'> & { statement: DsseEnvelope };

const FILE = 'left.json';

export function writeDeparture(folder: string, departure: Departure): void {
  writeFileDurably(join(folder, FILE), Buffer.from(`${JSON.stringify(departure, null, 2)}\n`));
}

/** Undefined for a member that has not begun to leave. @throws AgentError 'store-damaged' */
export function readDeparture(folder: string): Departure | undefined {
  const file = join(folder, FILE);
  if (!existsSync(file)) return undefined;
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new AgentError('store-damaged', `${file} is damaged (${(error as Error).message}). Restore this folder from its backup.`);
  }
}

/** Only a site that has not left takes part in runs. @throws AgentError 'left', 'not-a-site' */
export function requireTakesPart(folder: string, { site, consortium, role }: Membership): void {
  if (role === 'auditor') {
    throw new AgentError(
      'not-a-site',
      `${folder} belongs to the auditor "${site}" of ${consortium}, who takes no part in runs. Read the ledger: coferment-agent ledger export --out DIR --data ${folder} --passphrase-file F`,
    );
  }
  const departure = readDeparture(folder);
  if (departure === undefined) return;
  const rest =
    departure.state === 'done'
      ? 'Nothing is sent or trained here any more. To come back, join with a new invite and another --data folder.'
      : `That is not finished: run coferment-agent leave --data ${folder} --passphrase-file F again.`;
  throw new AgentError('left', `"${site}" left ${consortium} at ${departure.decidedAt}. ${rest}`);
}
