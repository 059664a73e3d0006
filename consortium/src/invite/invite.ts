import { digest } from '@coferment/crypto';
import { z } from 'zod';
import { addressSchema } from '../address/index.js';
import { ConsortiumError } from '../errors/index.js';
import { canonicalBytes, digestSchema, siteIdSchema } from '../statements/index.js';

const bodySchema = z.strictObject({
  schema: z.literal('coferment-invite/1'),
  consortium: z.string().min(1).max(64),
  site: siteIdSchema,
  /** What the site dials. */
  coordinator: addressSchema,
  /** Name in the coordinator's TLS certificate; the address above may be any alias of it. */
  serverName: z.string().min(1).max(253),
  caCertificate: z.string().max(10_000),
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

/** The invite file. The checksum only catches damage in transit; trust comes from the channel the file travels by. */
export function inviteText(invite: Invite): string {
  return `${JSON.stringify({ ...invite, checksum: checksumOf(invite) }, null, 2)}\n`;
}

export function parseInvite(text: string): Invite {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw corrupt(`it is not JSON (${(error as Error).message})`);
  }
  const parsed = inviteSchema.safeParse(raw);
  if (!parsed.success) throw corrupt(`"${parsed.error.issues[0]?.path.join('.')}": ${parsed.error.issues[0]?.message}`);
  const { checksum, ...invite } = parsed.data;
  if (checksum !== checksumOf(invite)) throw corrupt('its checksum does not match its content');
  return invite;
}

function checksumOf(invite: Invite): string {
  return digest('invite', canonicalBytes(invite));
}

function corrupt(reason: string): ConsortiumError {
  return new ConsortiumError(
    'invalid-invite',
    `This invite file is damaged: ${reason}. Ask the operator to send it again; nothing was changed.`,
  );
}
