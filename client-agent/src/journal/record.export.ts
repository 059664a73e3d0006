import { canonicalBytes, digestSchema, siteIdSchema } from '@coferment/consortium';
import { hexToBytes } from '@coferment/crypto';
import { z } from 'zod';
import { checkHeads, type Finding, readRecord } from './record.chain.js';
import type { RecordEntry, RecordLine } from './record.entry.js';
import { RecordError } from './record.error.js';
import type { RecordHead } from './record.head.js';
import { checkSigning } from './record.signing.js';

/*
 * A record for others: a first line that says whose it is, one line for each entry with its hash, one for each signed head. Each is RFC 8785 JSON, and the last
 * head covers the last entry, so that there is one file only for what the site has signed.
 */

const titleSchema = z.strictObject({
  schema: z.literal(1),
  what: z.literal('coferment site record'),
  consortium: z.string().max(64),
  site: siteIdSchema,
  identityKey: digestSchema,
});
const lineSchema = z.strictObject({ hash: digestSchema, line: z.string() });
const headSchema = z.strictObject({
  head: z.number().int().min(1),
  seq: z.number().int().min(1),
  hash: digestSchema,
  time: z.number().int(),
  signature: z.string().regex(/^[0-9a-f]{128}$/),
});

export type RecordTitle = Omit<z.infer<typeof titleSchema>, 'schema' | 'what'>;

export interface ExportedRecord {
  title: RecordTitle;
  lines: RecordLine[];
  heads: RecordHead[];
}

/** Only what is signed: entries after the last head are left out. @throws RecordError when there is no signed head yet */
export function exportRecord(title: RecordTitle, lines: readonly RecordLine[], heads: readonly RecordHead[]): Uint8Array {
  const end = heads.at(-1)?.seq ?? 0;
  if (end === 0) throw new RecordError('no head of this record is signed yet: start the agent once, or give its passphrase file');
  const shown: unknown[] = [
    { schema: 1, what: 'coferment site record', ...title },
    ...lines.filter(({ seq }) => seq <= end).map(({ hash, line }) => ({ hash, line })),
    ...heads,
  ];
  return Buffer.concat(shown.flatMap((value) => [canonicalBytes(value), Buffer.from('\n')]));
}

/** @throws RecordError for anything but the one file that `exportRecord` makes of its content */
function parseExport(bytes: Uint8Array): ExportedRecord {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new RecordError('it is not UTF-8 text');
  }
  const rows = text.split('\n');
  if (rows.pop() !== '') throw new RecordError('it does not end with a line end: its end was cut off');
  const { schema: _, what: __, ...title } = read(titleSchema, rows[0] ?? '', 1);
  const lines: RecordLine[] = [];
  const heads: RecordHead[] = [];
  rows.slice(1).forEach((row, index) => {
    const number = index + 2;
    if (row.startsWith('{"hash":') && row.includes(',"line":')) {
      if (heads.length > 0) throw new RecordError(`line ${number} is an entry after the heads`);
      const { hash, line } = read(lineSchema, row, number);
      lines.push({ seq: lines.length + 1, line, hash });
    } else heads.push(read(headSchema, row, number));
  });
  return { title, lines, heads };
}

function read<T>(schema: z.ZodType<T>, row: string, number: number): T {
  let raw: unknown;
  try {
    raw = JSON.parse(row);
  } catch {
    throw new RecordError(`line ${number} is not JSON`);
  }
  const parsed = schema.safeParse(raw);
  if (!parsed.success) throw new RecordError(`line ${number} is malformed at "${parsed.error.issues[0]?.path.join('.') ?? ''}"`);
  if (Buffer.from(canonicalBytes(parsed.data)).toString('utf8') !== row)
    throw new RecordError(`line ${number} is not in canonical form (RFC 8785)`);
  return parsed.data;
}

export interface CheckedExport {
  title: RecordTitle;
  entries: RecordEntry[];
  heads: number;
  findings: Finding[];
}

/** @param identityKey of the site, hex, as it came to the reader on another way than the file. @throws RecordError */
export function verifyExport(bytes: Uint8Array, identityKey: string): CheckedExport {
  const { title, lines, heads } = parseExport(bytes);
  const { entries, findings } = readRecord(lines);
  const whole = findings.length === 0;
  const hashes = lines.map(({ hash }) => hash);
  const asCopy = { lastIsNoted: false };
  if (whole) findings.push(...checkHeads(heads, entries, hashes, hexToBytes(identityKey), asCopy), ...checkSigning(entries, asCopy));
  if (heads.at(-1)?.seq !== lines.length)
    findings.push({
      where: 'the last signed head',
      problem: `it is of entry ${heads.at(-1)?.seq ?? 0}; the file has ${lines.length} entries`,
    });
  const joined = entries.findLast((entry) => entry.kind === 'joined');
  const { consortium, site } = title;
  if (title.identityKey !== identityKey)
    findings.push({ where: 'line 1', problem: `it names the key ${title.identityKey}; the key that was given is ${identityKey}` });
  if (whole && (joined === undefined || joined.consortium !== consortium || joined.site !== site || joined.identityKey !== identityKey))
    findings.push({ where: 'line 1', problem: `the record itself does not say that it is of site ${site} of ${consortium} with this key` });
  return { title, entries, heads: heads.length, findings };
}
