import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ledgerReadersSchema, outsideWitnessesSchema, siteNamesSchema, witnessQuorumSchema } from '@coferment/consortium';
import { z } from 'zod';
import { CoordinatorError } from '../errors/index.js';
import { LONGEST_WITNESS_ADDRESS, MOST_WITNESS_SERVERS } from '../witnessing/witness.address.js';
import { CERTIFICATE_LIFE_MS } from './certificate.authority.js';
import { foundedEarlier } from './charter.rule.js';
import { replaceFile } from './sealed.file.js';

const factsSchema = z.strictObject({
  consortium: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be 1 to 64 lower-case letters, digits or hyphens'),
  origin: z.string().regex(/^[^\s+]{1,200}$/, 'must be a URL without scheme, spaces or "+", e.g. ledger.example/fermentation'),
  serverName: z.string(),
  logVkey: z.string(),
  operatorKey: z.string(),
  /** The newest. */
  authority: z.string(),
  operatorCertificate: z.string(),
  /** The charter; it stands in the ledger and is never changed. */
  ledgerReaders: ledgerReadersSchema.default('members-and-auditors'),
  siteNames: siteNamesSchema.default('plain'),
  witnessQuorum: witnessQuorumSchema,
  witnesses: outsideWitnessesSchema,
  /** Witnesses outside the consortium that are called, each as verifier key and URL; not of the charter, so they may change. */
  witnessServers: z.array(z.string().max(LONGEST_WITNESS_ADDRESS)).max(MOST_WITNESS_SERVERS).default([]),
  /** Still accepted for a short while: a command of the operator may have read it just before it was renewed. */
  previousOperatorCertificate: z.string().optional(),
  certificateLifeMs: z.number().int().positive().default(CERTIFICATE_LIFE_MS),
});

/** Of a version whose charters said nothing of witnesses. */
const earlierSchema = z.looseObject({ consortium: z.string(), logVkey: z.string(), witnessQuorum: z.undefined().optional() });

/** Who may read the ledger, under which names sites stand in it, and who must have cosigned it. */
export interface Charter {
  ledgerReaders: z.infer<typeof ledgerReadersSchema>;
  siteNames: z.infer<typeof siteNamesSchema>;
  witnessQuorum: z.infer<typeof witnessQuorumSchema>;
  witnesses: z.infer<typeof outsideWitnessesSchema>;
}

/** What a new consortium is founded with. */
export interface Founding extends Partial<Charter> {
  consortium: string;
  origin: string;
  certificateLifeMs?: number;
}

/** What everybody may know about the consortium; `consortium.json` in the data folder. */
export type ConsortiumFacts = z.infer<typeof factsSchema>;
const factsFile = (folder: string): string => join(folder, 'consortium.json');

export function isFounded(folder: string): boolean {
  return existsSync(factsFile(folder));
}

export function readFacts(folder: string): ConsortiumFacts {
  if (!isFounded(folder)) {
    throw new CoordinatorError(
      'folder-unusable',
      `There is no consortium in ${folder}. Start one: coferment start --data ${folder} --consortium NAME --origin ORIGIN …`,
    );
  }
  try {
    const stored: unknown = JSON.parse(readFileSync(factsFile(folder), 'utf8'));
    const earlier = earlierSchema.safeParse(stored);
    if (earlier.success) throw foundedEarlier(folder, earlier.data.consortium);
    return factsSchema.parse(stored);
  } catch (cause) {
    if (cause instanceof CoordinatorError) throw cause;
    throw new CoordinatorError(
      'folder-unusable',
      `${factsFile(folder)} is damaged. Restore it, with the files beside it, from one backup.`,
      {
        cause,
      },
    );
  }
}

/** Nothing is written that the next start would not read. @throws CoordinatorError 'malformed' */
export function writeFacts(folder: string, facts: ConsortiumFacts): void {
  replaceFile(factsFile(folder), `${JSON.stringify(checkedFacts(facts), null, 2)}\n`);
}

/** @throws CoordinatorError 'malformed' that names the first fact which cannot be */
export function checkedFacts(facts: z.input<typeof factsSchema>): ConsortiumFacts {
  const checked = factsSchema.safeParse(facts);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new CoordinatorError('malformed', `The consortium's ${issue?.path.join('.')} ${issue?.message}. Nothing was changed.`);
}

export function keepWitnessServers(folder: string, witnessServers: readonly string[]): void {
  writeFacts(folder, { ...readFacts(folder), witnessServers: [...witnessServers] });
}

/** Takes effect with the next certificate of each member. */
export function keepCertificateLife(folder: string, certificateLifeMs: number): void {
  writeFacts(folder, { ...readFacts(folder), certificateLifeMs });
}
