import { readFile } from 'node:fs/promises';
import { type CommitmentOpening, type Predicate, isOperatorStatement } from '@coferment/consortium';
import { bytesToHex } from '@coferment/crypto';
import type { Command } from 'commander';
import { readFolder } from '../export/index.js';
import { formatSignature } from '../note/index.js';
import type { WitnessPolicy } from '../policy/index.js';
import {
  type CountingFreeze,
  type OpeningFile,
  type ProvenStatement,
  type ReceiptVerdict,
  freezeOf,
  isContribution,
  judgeContribution,
  parseOpeningFile,
  witnessProblems,
  witnessesOf,
} from '../receipt/index.js';
import { type VerifyOptions, verifyExport } from '../verify/index.js';
import { type Conclude, type Output, exitCodes, jsonText } from './audit.output.js';
import { type KeyFlags, keyOptions, readKeys } from './key.options.js';
import { type ReadReceipt, readReceipts } from './receipt.files.js';
import { type JudgedStatement, type ReceiptReport, receiptText } from './receipt.text.js';

interface ReceiptFlags extends KeyFlags {
  opening?: string[];
  ledger?: string;
  json?: boolean;
}

/** What a verified ledger adds: who signed for whom, and which sums were frozen over whom and opened. */
interface LedgerFacts {
  readonly operatorKey: string | undefined;
  /** See ReceiptTrust. */
  readonly siteKey: ((contribution: string) => string | undefined) | undefined;
  readonly freezes: readonly CountingFreeze[];
  readonly problems: readonly string[];
  readonly verdict: ReceiptVerdict;
}

export function addReceipt(program: Command, { out, err }: Output, conclude: Conclude): void {
  keyOptions(program.command('receipt'))
    .description('check receipts that a site hands out: what they prove about its contribution, without network')
    .argument('<file...>', 'proofs (.tlog-proof), Sigstore bundles (.sigstore.json) and statements, in any mixture')
    .option('--opening <file>', 'what the site opens of its commitments, e.g. its number of samples; may be given again', collect)
    .option('--ledger <dir>', 'an exported ledger: it is verified, and the receipts are compared with it')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Two proofs show that a contribution is in the frozen set of its sum: of the site's contribution, and of the operator's freeze, which names whom the sum
counts. That the sum was opened then, only a ledger shows: with --ledger both are looked up.

Exit code: 0 the receipts hold, 1 something does not hold, 2 it could not be checked (e.g. whether a contribution was counted).

Example:
  coferment-audit receipt contribution.tlog-proof freeze.tlog-proof --policy policy.txt --opening samples.json`,
    )
    .action(async (files: string[], flags: ReceiptFlags) => {
      const { policy, operatorKey } = await readKeys(flags);
      if (!policy)
        throw new Error('give the key of the log with --key, or a policy file with --policy, as you got it from outside these files');
      const openings = await Promise.all((flags.opening ?? []).map(async (file) => parseOpeningFile(await readFile(file, 'utf8'))));
      const read = await readReceipts(files, [...policy.logs, ...policy.witnesses], flags.ledger);
      if (flags.ledger !== undefined) err(`Verifying the ledger in ${flags.ledger}…\n`);
      const facts =
        flags.ledger === undefined
          ? { operatorKey, siteKey: undefined, freezes: [], problems: [], verdict: 'holds' as const }
          : await readLedgerFacts(flags.ledger, provenIn(read), { policy, ...(operatorKey === undefined ? {} : { operatorKey }) });
      const report = reportOf(read, openings, policy, facts);
      out(flags.json ? jsonText(report, 2) : receiptText(report));
      conclude(exitCodes[report.verdict]);
    });
}

function reportOf(
  read: readonly ReadReceipt[],
  openings: readonly OpeningFile[],
  policy: WitnessPolicy,
  facts: LedgerFacts,
): ReceiptReport {
  // One act may be given as a proof and as a bundle; each was verified, and is judged once for each checkpoint that it comes with.
  const statements = [
    ...new Map(provenIn(read).map((found) => [`${found.statement.digest} ${found.checkpoint.note.text}`, found])).values(),
  ];
  // The ledger's come first: of the same freeze they know more than its proof does.
  const freezes = [...facts.freezes, ...statements.flatMap((found) => freezeOf(found) ?? [])];
  const contributions = statements.filter(isContribution).map((found) => {
    const opened = openings
      .filter(({ contribution }) => contribution === found.statement.digest)
      .flatMap((file): CommitmentOpening[] => file.openings);
    return judgeContribution(found, freezes, opened, { policy, operatorKey: facts.operatorKey, siteKey: facts.siteKey });
  });
  const others = statements.filter((found) => !isContribution(found)).map((found) => judgeOther(found, policy, facts.operatorKey));
  const known = new Set(contributions.map(({ contribution }) => contribution));
  const refused = [
    ...read.flatMap((receipt) => (receipt.outcome === 'refused' ? [`${receipt.file}: ${receipt.reason}`] : [])),
    ...openings
      .filter(({ contribution }) => !known.has(contribution))
      .map(({ contribution }) => `The openings are of contribution ${contribution}, which none of these receipts is about.`),
  ];
  const missing = read.flatMap((receipt) =>
    receipt.outcome === 'no-statement'
      ? [
          `${receipt.file}: the statement of its entry is not here. Give the file ${receipt.payloadHash}.json, or put it into payloads/ beside the proof. (The entry was signed with key ${receipt.key}.)`,
        ]
      : [],
  );
  const verdicts: ReceiptVerdict[] = [
    ...[...contributions, ...others].map(({ verdict }) => verdict),
    ...(read.length > 0 ? [facts.verdict] : []),
    ...(refused.length > 0 ? (['does-not-hold'] as const) : []),
    ...(missing.length > 0 ? (['could-not-check'] as const) : []),
  ];
  return { verdict: worstOf(verdicts), contributions, others, problems: [...refused, ...facts.problems, ...missing] };
}

function judgeOther(found: ProvenStatement, policy: WitnessPolicy, operatorKey: string | undefined): JudgedStatement {
  const { statement, index, checkpoint, entry } = found;
  const key = bytesToHex(entry.publicKey);
  const problems = witnessProblems(found, policy);
  if (operatorKey !== undefined && isOperatorStatement(statement.name) && key !== operatorKey)
    problems.push(`It is signed with key ${key}, not with the operator's.`);
  return {
    verdict: problems.length > 0 ? 'does-not-hold' : 'holds',
    name: statement.name,
    index: index.toString(),
    size: checkpoint.size.toString(),
    origin: checkpoint.origin,
    key,
    witnesses: witnessesOf(found, policy).map(({ name }) => name),
    problems,
  };
}

/** Verifies the whole ledger, that it extends the newest checkpoint of the receipts, and that it has their entries: otherwise one of the two is of a forked log. */
async function readLedgerFacts(folder: string, receipts: readonly ProvenStatement[], options: VerifyOptions): Promise<LedgerFacts> {
  const asked = new Set(receipts.map(({ statement }) => statement.digest));
  const keys = new Map<string, string>();
  /** Of the statements that were asked for: the key that its site had at that place, or nothing for the operator's. */
  const logged = new Map<string, string | undefined>();
  const frozen: { readonly index: bigint; readonly predicate: Predicate<'round-frozen'> }[] = [];
  const aggregates = new Map<string, bigint>();
  const newest = receipts.toSorted((a, b) => (a.checkpoint.size < b.checkpoint.size ? 1 : -1))[0];
  const report = await verifyExport(readFolder(folder), {
    ...options,
    ...(newest === undefined ? {} : { earlier: checkpointText(newest) }),
    onStatement: ({ index, name, predicate, digest }) => {
      if (name === 'site-enrolled') keys.set(predicate.site, predicate.identityKey);
      if (asked.has(digest)) logged.set(digest, 'site' in predicate ? keys.get(predicate.site) : undefined);
      if (name === 'round-frozen') frozen.push({ index: BigInt(index), predicate });
      if (name === 'aggregate') aggregates.set(frozenSum(predicate), BigInt(index));
    },
  });
  const reasons = report.checks.flatMap(({ problems }) => problems.slice(0, 1).map(({ where, problem }) => `${where}: ${problem}`));
  const problems = [
    ...(report.verdict === 'holds' ? [] : [`The ledger in ${folder} ${report.summary}${reasons.map((reason) => `; ${reason}`).join('')}.`]),
    ...receipts
      .filter(({ statement }) => report.verdict === 'holds' && !logged.has(statement.digest))
      .map(
        ({ statement, index }) => `The ledger in ${folder} does not have the ${statement.name} that entry ${index} of a receipt is about.`,
      ),
  ];
  const operatorKey = report.operatorKey ?? options.operatorKey;
  return {
    operatorKey,
    siteKey: (contribution) => logged.get(contribution),
    freezes: frozen.map(({ index, predicate }) => ({
      origin: report.log?.origin ?? '',
      index,
      predicate,
      signer: operatorKey ?? '',
      aggregate: aggregates.get(frozenSum(predicate)) ?? 'none',
    })),
    problems,
    verdict: report.verdict === 'could-not-check' ? 'could-not-check' : problems.length > 0 ? 'does-not-hold' : 'holds',
  };
}

function checkpointText({ checkpoint }: ProvenStatement): string {
  return `${checkpoint.note.text}\n${checkpoint.note.signatures.map(formatSignature).join('')}`;
}

function provenIn(read: readonly ReadReceipt[]): ProvenStatement[] {
  return read.flatMap((receipt) => (receipt.outcome === 'proven' ? [receipt.proven] : []));
}

/** A sum over one set of uploads: one of the same number over another set is another one. */
function frozenSum({ run, e, sum, k, t }: Predicate<'round-frozen' | 'aggregate'>): string {
  return [run, e, sum, k, t].join(' ');
}

function worstOf(verdicts: readonly ReceiptVerdict[]): ReceiptVerdict {
  if (verdicts.includes('does-not-hold')) return 'does-not-hold';
  return verdicts.includes('could-not-check') || verdicts.length === 0 ? 'could-not-check' : 'holds';
}

function collect(file: string, before: readonly string[] = []): string[] {
  return [...before, file];
}
