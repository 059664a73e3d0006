import { isLedgered, parseStatement, type PredicateName } from '@coferment/consortium';
import { bytesToHex } from '@coferment/crypto';
import {
  type LedgerEntry,
  openCheckpoint,
  parseEntry,
  parsePolicy,
  parseVkey,
  payloadPath,
  policyOfLogKey,
  POLICY_PATH,
  CHECKPOINT_PATH,
  readEntries,
  type ReadFile,
  verifyEntry,
  verifyExport,
} from '@coferment/ledger';
import { AgentError } from '../agent.error.js';
import type { Finding } from './record.chain.js';
import type { RecordEntry } from './record.entry.js';

export interface LedgerComparison {
  findings: Finding[];
  checked: string[];
  notes: string[];
}

/** An act that the record says was signed here, and when the coordinator took it. */
interface OwnAct {
  seq: number;
  name: string;
  digest: string;
  /** Sequence number of the entry that says it was accepted. */
  acceptedAt: number | undefined;
}

/**
 * Compares an exported ledger with the record, both ways: every act in the ledger under this site's key must be in the record, and what the coordinator has
 * accepted from this site must be in the ledger. The order of the log is that of acceptance, so acts after the last one that it has are newer than the export.
 * @param vkey the log's key, from elsewhere than the export; without it the export is believed to be of the log that it names
 */
export async function compareWithLedger(
  read: ReadFile,
  entries: readonly RecordEntry[],
  site: { consortium: string; site: string; identityKey: string },
  vkey?: string,
): Promise<LedgerComparison> {
  const policyBytes = await read(POLICY_PATH);
  if (policyBytes === undefined || (await read(CHECKPOINT_PATH)) === undefined)
    throw new AgentError(
      'missing-file',
      'This is no exported ledger: it has no checkpoint or no policy. Give the folder that "coferment export ledger" made.',
    );
  const policy = vkey === undefined ? parsePolicy(Buffer.from(policyBytes).toString('utf8')) : policyOfLogKey(parseVkey(vkey));
  const report = await verifyExport(read, { policy });
  const failed = report.checks.filter(({ outcome }) => outcome === 'fails');
  const findings: Finding[] = failed.map(({ title, detail }) => ({
    where: 'the ledger',
    problem: `it does not hold: "${title}" (${detail}). See coferment-audit verify`,
  }));
  // Of what was changed, nothing further is believed.
  if (findings.length > 0) return { findings, checked: [], notes: [] };
  if (report.log === undefined)
    return { findings: [{ where: 'the ledger', problem: 'its checkpoint cannot be opened' }], checked: [], notes: [] };
  const checkpoint = openCheckpoint((await read(CHECKPOINT_PATH))!, [...policy.logs, ...policy.witnesses]);
  const logged: LoggedAct[] = [];
  const entriesRead = await readEntries(read, checkpoint.size);
  for (const [index, bytes] of entriesRead.entries()) {
    const entry = parseEntry(bytes);
    if (bytesToHex(entry.publicKey) !== site.identityKey) continue;
    logged.push({ index, digest: entry.payloadHash, said: describeAct(entry, await read(payloadPath(entry.payloadHash))) });
  }
  const compared = compareActs(entries, logged);
  const ownKey = vkey === undefined ? ['The key of the log was taken from the export itself. Give --log-key as you got it on paper.'] : [];
  return {
    findings: compared.findings,
    checked: [`${compared.checked} (the ledger has ${entriesRead.length} entries)`],
    notes: [...compared.notes, ...ownKey],
  };
}

/** An act in the ledger under the key of this site. */
export interface LoggedAct {
  index: number;
  digest: string;
  /** What it says, and whether its signature verifies. */
  said: string;
}

export function compareActs(
  entries: readonly RecordEntry[],
  logged: readonly LoggedAct[],
): { findings: Finding[]; checked: string; notes: string[] } {
  const own = new Map(ownActs(entries).map((act) => [act.digest, act]));
  const forgotten = new Set(entries.flatMap((entry) => (entry.kind === 'act-forgotten' ? [entry.digest] : [])));
  const isLogged = new Set(logged.map(({ digest }) => digest));
  const found = [...own.values()].filter(({ digest }) => isLogged.has(digest));
  const foreign = logged.filter(({ digest }) => !own.has(digest) && !forgotten.has(digest));
  const lastFound = Math.max(0, ...found.map(({ acceptedAt }) => acceptedAt ?? 0));
  const absent = [...own.values()].filter(
    ({ acceptedAt, digest, name }) => acceptedAt !== undefined && !isLogged.has(digest) && isLedgered(name as PredicateName),
  );
  const hidden = absent.filter(({ acceptedAt }) => (acceptedAt ?? 0) < lastFound);
  const newer = absent.length - hidden.length;
  return {
    findings: [
      ...foreign.map(({ index, said }) => ({
        where: `entry ${index} of the ledger`,
        problem: `it is under the key of this site, and the record does not know it (${said})`,
      })),
      ...hidden.map(({ seq, name, digest }) => ({
        where: `entry ${seq} of the record`,
        problem: `the coordinator accepted this ${name} (digest ${digest}), and the ledger does not have it, though it has later acts of this site`,
      })),
    ],
    checked: `${logged.length} acts in the ledger under the key of this site: ${found.length} are in the record`,
    notes: newer === 0 ? [] : [`${newer} accepted acts come after the last one in this export. Compare again with a newer one.`],
  };
}

function ownActs(entries: readonly RecordEntry[]): OwnAct[] {
  const acts = new Map<string, OwnAct>();
  const sent = new Map<number, string>();
  for (const entry of entries) {
    if (entry.kind === 'signed') acts.set(entry.digest, { seq: entry.seq, name: entry.name, digest: entry.digest, acceptedAt: undefined });
    if (entry.kind === 'carried-over' && entry.table === 'statements') {
      const { digest, name } = entry.row;
      acts.set(String(digest), { seq: entry.seq, name: String(name), digest: String(digest), acceptedAt: undefined });
    }
    if (entry.kind === 'sending') sent.set(entry.row, entry.digest);
    const act = entry.kind === 'answered' && entry.outcome === 'accepted' ? acts.get(sent.get(entry.row) ?? '') : undefined;
    if (act !== undefined) act.acceptedAt = entry.seq;
  }
  return [...acts.values()];
}

function describeAct(entry: LedgerEntry, payload: Uint8Array | undefined): string {
  if (payload === undefined) return 'its statement is not in the export';
  try {
    verifyEntry(entry, payload);
    const { name, digest } = parseStatement(payload);
    return `${name}, digest ${digest}, with a valid signature: this journal was rolled back to an older copy, or somebody else has the key`;
  } catch {
    return 'its signature does not verify, so anyone may have put it there';
  }
}
