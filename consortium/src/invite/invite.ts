import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { digest } from '@coferment/crypto';
import { z } from 'zod';
import { addressSchema } from '../address/index.js';
import { ConsortiumError } from '../errors/index.js';
import { canonicalBytes, digestSchema, siteIdSchema } from '../statements/index.js';
import { certificateFingerprint } from './certificate.fingerprint.js';
import { companySchema, pseudonymOf, saltSchema } from './pseudonym.js';

const bodySchema = z.strictObject({
  schema: z.literal('coferment-invite/1'),
  consortium: z.string().min(1).max(64),
  site: siteIdSchema,
  /** A site takes part in runs; an auditor reads the ledger and nothing else. */
  role: z.enum(['site', 'auditor']),
  /** In a consortium with pseudonyms: whose pseudonym `site` is. Only this site and the operator know. */
  pseudonym: z.strictObject({ company: companySchema, salt: saltSchema }).optional(),
  /** What the site dials. */
  coordinator: addressSchema,
  /** Name in the coordinator's TLS certificate; the address above may be any alias of it. */
  serverName: z.string().min(1).max(253),
  caCertificate: z.string().max(10_000),
  /** SHA-256 of the authority's certificate, for people to compare. */
  caFingerprint: digestSchema,
  operatorKey: digestSchema,
  logVkey: z.string().max(500),
  origin: z.string().max(200),
  inviteId: z.string().regex(/^[0-9a-f]{16}$/),
  secret: digestSchema,
  expiresAt: z.iso.datetime(),
});

const inviteSchema = bodySchema.extend({ checksum: digestSchema });

/** What a site needs to join: whom to call, whom to believe, and a secret that works once. */
export type Invite = z.infer<typeof bodySchema>;

/** An invite that is one line of text begins with this. */
export const INVITE_PREFIX = 'coferment-invite:';
/** Of either form. A line that inflates to more is refused before it is read. */
const MOST_BYTES = 65_536;

/** The invite file. The checksum only catches damage in transit; trust comes from the channel the file travels by. */
export function inviteText(invite: Invite): string {
  return `${JSON.stringify({ ...invite, checksum: checksumOf(invite) }, null, 2)}\n`;
}

/** The same invite as one line, for a chat or a ticket: raw deflate of its canonical JSON in base64url, without a line end. */
export function inviteLine(invite: Invite): string {
  const bytes = canonicalBytes({ ...invite, checksum: checksumOf(invite) });
  return `${INVITE_PREFIX}${deflateRawSync(bytes, { level: 9 }).toString('base64url')}`;
}

/** @param text either form. @throws ConsortiumError 'invalid-invite' */
export function parseInvite(text: string): Invite {
  if (text.length > MOST_BYTES) throw corrupt(`it has ${text.length} characters; an invite has at most ${MOST_BYTES}`);
  let raw: unknown;
  try {
    raw = JSON.parse(text.trimStart().startsWith(INVITE_PREFIX) ? inflated(text) : text);
  } catch (error) {
    if (error instanceof ConsortiumError) throw error;
    // The reason that the parser gives quotes the text around the fault, and that may be the secret.
    throw corrupt('it is not JSON');
  }
  const parsed = inviteSchema.safeParse(raw);
  if (!parsed.success) throw corrupt(`"${parsed.error.issues[0]?.path.join('.')}": ${parsed.error.issues[0]?.message}`);
  const { checksum, ...invite } = parsed.data;
  if (checksum !== checksumOf(invite)) throw corrupt('its checksum does not match its content');
  if (certificateFingerprint(invite.caCertificate) !== invite.caFingerprint)
    throw corrupt("its fingerprint is not that of the authority's certificate in it");
  if (invite.pseudonym !== undefined && pseudonymOf(invite.pseudonym) !== invite.site)
    throw corrupt(`"${invite.site}" is not the pseudonym of the company in it`);
  return invite;
}

/** Mail and chat programs break long lines, so white space anywhere means nothing. */
function inflated(text: string): string {
  const encoded = text.replaceAll(/\s+/g, '').slice(INVITE_PREFIX.length);
  if (!/^[A-Za-z0-9_-]+$/.test(encoded)) throw corrupt('the line has characters that belong to no invite');
  try {
    return inflateRawSync(Buffer.from(encoded, 'base64url'), { maxOutputLength: MOST_BYTES }).toString('utf8');
  } catch (error) {
    throw corrupt(`the line cannot be read to its end (${(error as Error).message})`);
  }
}

function checksumOf(invite: Invite): string {
  return digest('invite', canonicalBytes(invite));
}

function corrupt(reason: string): ConsortiumError {
  return new ConsortiumError(
    'invalid-invite',
    `This invite is damaged: ${reason}. Ask the operator to send it again; nothing was changed.`,
  );
}
