import { type DsseEnvelope, PAYLOAD_TYPE, sha256Hex, signEnvelope, verifyEnvelope } from '@coferment/crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { ConsortiumError } from '../errors/index.js';
import { type Predicate, type PredicateName, operatorPredicates, predicates, unledgeredPredicates } from './predicates.js';

const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
const PREDICATE_PREFIX = 'urn:coferment:';
const MAX_PAYLOAD_BYTES = 262_144;
/** A byte order mark is not skipped: it would be a second spelling of the same statement. */
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A parsed statement: its name (the purpose of its signature), its content, and the SHA-256 of its signed bytes. */
export type Statement<N extends PredicateName = PredicateName> = { [M in N]: { name: M; predicate: Predicate<M>; digest: string } }[N];

export const envelopeSchema = z.strictObject({
  payloadType: z.literal(PAYLOAD_TYPE),
  payload: z.string().max((MAX_PAYLOAD_BYTES * 4) / 3 + 4),
  signatures: z.tuple([z.strictObject({ keyid: z.string().regex(/^[0-9a-f]{64}$/), sig: z.string().max(100) })]),
});

const statementSchema = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.tuple([z.strictObject({ name: z.string(), digest: z.strictObject({ sha256: z.string() }) })]),
  predicateType: z.string(),
  predicate: z.unknown(),
});

/** RFC 8785 JSON as UTF-8 bytes. */
export function canonicalBytes(value: unknown): Uint8Array {
  return new TextEncoder().encode(canonicalText(value));
}

function canonicalText(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined)
    throw new ConsortiumError('invalid-statement', 'This value has no canonical JSON form; only plain JSON can be signed.');
  return text;
}

/**
 * The bytes that are signed: an in-toto Statement v1 in RFC 8785 form. The subject names the act and digests the
 * predicate, so that generic in-toto tools can match on it.
 */
export function statementBytes<N extends PredicateName>(name: N, predicate: Predicate<N>): Uint8Array {
  const checked = predicates[name].safeParse(predicate);
  if (!checked.success) throw invalid(name, checked.error);
  return new TextEncoder().encode(statementText(name, checked.data as never));
}

/**
 * The predicate is written once and set into the fixed rest, whose members stand in RFC 8785 order (by UTF-16 code units): an auditor's check of a
 * million statements spends more on canonical forms than on hashing.
 */
function statementText<N extends PredicateName>(name: N, checked: Predicate<N>): string {
  return statementAround(name, canonicalText(checked));
}

function statementAround(name: PredicateName, predicate: string): string {
  const subject = `[{"digest":{"sha256":"${sha256Hex(Buffer.from(predicate, 'utf8'))}"},"name":"${name}"}]`;
  return `{"_type":"${STATEMENT_TYPE}","predicate":${predicate},"predicateType":"${predicateType(name)}","subject":${subject}}`;
}

export function predicateType(name: PredicateName): string {
  return `${PREDICATE_PREFIX}${name}:v1`;
}

export function signStatement<N extends PredicateName>(
  name: N,
  predicate: Predicate<N>,
  identity: { publicKey: Uint8Array; privateKey: Uint8Array },
): DsseEnvelope {
  return signEnvelope(statementBytes(name, predicate), identity);
}

/** Parses signed bytes strictly: only the canonical form of a known statement is accepted, so its digest is unique. */
export function parseStatement(payload: Uint8Array): Statement {
  if (payload.length > MAX_PAYLOAD_BYTES) {
    throw new ConsortiumError('invalid-statement', `A statement has ${payload.length} bytes; at most ${MAX_PAYLOAD_BYTES} are allowed.`);
  }
  let text: string;
  let raw: unknown;
  try {
    text = UTF8.decode(payload);
    raw = JSON.parse(text);
  } catch (error) {
    throw new ConsortiumError('invalid-statement', `A statement is not JSON: ${(error as Error).message}`);
  }
  const outer = statementSchema.safeParse(raw);
  if (!outer.success) throw invalid('statement', outer.error);
  const name = predicateName(outer.data.predicateType);
  const inner = predicates[name].safeParse(outer.data.predicate);
  if (!inner.success) throw invalid(name, inner.error);
  // What was parsed keeps the order of the text, so a predicate in order is written by the engine itself, in a third of the time.
  const predicate = isInOrder(outer.data.predicate) ? JSON.stringify(outer.data.predicate) : canonicalText(inner.data);
  if (statementAround(name, predicate) !== text) {
    throw new ConsortiumError(
      'invalid-statement',
      `A ${name} statement is not in canonical form, or its subject does not match its predicate.`,
    );
  }
  return { name, predicate: inner.data, digest: sha256Hex(payload) } as Statement;
}

/**
 * Whether `JSON.stringify` writes parsed JSON in its RFC 8785 form: members sorted by UTF-16 code units, as strings compare, and no half surrogates. Numbers
 * are written alike by both.
 */
function isInOrder(value: unknown): boolean {
  if (typeof value === 'string') return value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  if (Array.isArray(value)) return value.every(isInOrder);
  let before = '';
  for (const name in value) {
    if (name <= before || !isInOrder((value as Record<string, unknown>)[name])) return false;
    before = name;
  }
  return true;
}

/** Verifies the signature, then parses, then checks that it is the act that is expected here. */
export function openStatement<N extends PredicateName>(name: N, envelope: DsseEnvelope, publicKey: Uint8Array): Statement<N> {
  const statement = parseStatement(verifyEnvelope(envelope, publicKey));
  if (statement.name !== name) {
    throw new ConsortiumError('invalid-statement', `Expected a signed ${name}, got a signed ${statement.name}.`);
  }
  return statement as Statement<N>;
}

/** Reads who claims to have signed, before the key is known. Nothing in it may be believed until `openStatement`. */
export function peekStatement(envelope: DsseEnvelope): Statement {
  return parseStatement(Buffer.from(envelope.payload, 'base64'));
}

export function parseEnvelope(json: unknown): DsseEnvelope {
  const parsed = envelopeSchema.safeParse(json);
  if (!parsed.success) throw invalid('envelope', parsed.error);
  return parsed.data;
}

export function isOperatorStatement(name: PredicateName): boolean {
  return (operatorPredicates as readonly PredicateName[]).includes(name);
}

export function isLedgered(name: PredicateName): boolean {
  return !(unledgeredPredicates as readonly PredicateName[]).includes(name);
}

function predicateName(type: string): PredicateName {
  const name = type.startsWith(PREDICATE_PREFIX) && type.endsWith(':v1') ? type.slice(PREDICATE_PREFIX.length, -':v1'.length) : '';
  if (!Object.hasOwn(predicates, name)) {
    throw new ConsortiumError(
      'invalid-statement',
      `Unknown kind of statement "${type.slice(0, 100)}". Is this member running an older version?`,
    );
  }
  return name as PredicateName;
}

function invalid(what: string, error: z.ZodError): ConsortiumError {
  const issue = error.issues[0];
  return new ConsortiumError(
    'invalid-statement',
    `A ${what} is malformed at "${issue?.path.join('.') ?? ''}": ${issue?.message ?? error.message}`,
  );
}
