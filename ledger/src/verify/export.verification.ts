import { POLICY_PATH } from '../export/index.js';
import { type OpenedCheckpoint, openCheckpoint } from '../note/index.js';
import { type WitnessPolicy, parsePolicy } from '../policy/index.js';
import type { ReadFile } from '../tiles/index.js';
import { checkCertificates, checkModels, checkShares, checkTotals, totalsOf } from './aggregate.check.js';
import { checkSignatures } from './enrolment.check.js';
import { checkKeyEpochs, checkRuns } from './epoch.check.js';
import type { Evidence, Recorded } from './evidence.js';
import { checkContexts, checkContributions, checkCountedSets, checkOneSet } from './freeze.check.js';
import {
  checkCheckpoint,
  checkEntries,
  checkExtends,
  checkObjects,
  checkPayloads,
  checkRoot,
  checkTiles,
  checkWitnesses,
} from './structure.check.js';
import {
  type CheckId,
  type CheckResult,
  type Finding,
  type VerificationReport,
  checkResult,
  checkTitles,
  verdictOf,
} from './verification.report.js';

export interface VerifyOptions {
  /** Whose signatures count, from outside the export. Without it the export's own policy is used and the report says that the key was not checked. */
  readonly policy?: WitnessPolicy;
  /** Hex. The key that must have founded the consortium. */
  readonly operatorKey?: string;
  /** A checkpoint seen before (text): this export must extend it. */
  readonly earlier?: string | Uint8Array;
  /** Told every statement whose signature holds, in the order of the log, each act once: for whoever derives something from the ledger beside the checks. */
  readonly onStatement?: (statement: Recorded) => void;
}

/** What the statements say, once they are known to be signed. Each looks at everything and trusts nothing that another one found. */
const contentChecks: readonly [CheckId, (evidence: Evidence) => Finding][] = [
  ['runs', checkRuns],
  ['key-epochs', checkKeyEpochs],
  ['counted-sets', checkCountedSets],
  ['contexts', checkContexts],
  ['contributions', checkContributions],
  ['one-set', checkOneSet],
  ['certificates', checkCertificates],
  ['shares', checkShares],
  ['models', checkModels],
  ['totals', checkTotals],
];

/**
 * Verifies an exported ledger without network, account or trust in whoever made it. It goes on after a failure wherever that means something:
 * a changed tile does not hide a forged signature.
 * @param read the files of the export
 */
export async function verifyExport(read: ReadFile, options: VerifyOptions = {}): Promise<VerificationReport> {
  const results = new Map<CheckId, CheckResult>();
  const note = (id: CheckId, finding: Finding) => results.set(id, checkResult(id, finding));
  const base = {
    operatorKeyPinned: options.operatorKey !== undefined,
    log: undefined,
    consortium: undefined,
    operatorKey: undefined,
    totals: [],
  };
  const finish = (found: Partial<VerificationReport> = {}): VerificationReport => {
    for (const id of Object.keys(checkTitles) as CheckId[]) {
      if (!results.has(id)) note(id, { detail: 'not reached, because of what failed before', unchecked: true });
    }
    const checks = (Object.keys(checkTitles) as CheckId[]).map((id) => results.get(id)!);
    return { ...base, ...found, ...verdictOf(checks, options.policy !== undefined), checks };
  };

  const policy = options.policy ?? (await ownPolicy(read));
  if (!policy) {
    note('checkpoint', { detail: `no key was given, and the export has no readable ${POLICY_PATH}`, unchecked: true });
    return finish();
  }
  const { finding, checkpoint } = await checkCheckpoint(read, policy);
  note('checkpoint', finding);
  if (!checkpoint) return finish();
  note('witnesses', checkWitnesses(policy, checkpoint));

  const log = {
    origin: checkpoint.origin,
    size: checkpoint.size.toString(),
    root: Buffer.from(checkpoint.root).toString('hex'),
    signedBy: checkpoint.note.verifiedBy.map(({ name, keyId }) => `${name}+${keyId}`),
  };
  const root = await checkRoot(read, checkpoint);
  note('root', root.finding);
  if (!root.entries || !root.tree) return finish({ log });
  note(
    'extends',
    earlierFinding(options.earlier, policy, (earlier) => checkExtends(earlier, root.tree!, checkpoint)),
  );
  note('tiles', await checkTiles(read, root.tree));
  const { finding: entriesFinding, parsed } = checkEntries(root.entries);
  note('entries', entriesFinding);
  const { finding: payloadsFinding, statements } = await checkPayloads(read, parsed);
  note('payloads', payloadsFinding);
  note('objects', await checkObjects(read, statements));

  const enrolment = checkSignatures(statements, {
    origin: checkpoint.origin,
    operatorKey: options.operatorKey,
    onStatement: options.onStatement,
  });
  note('signatures', enrolment.finding);
  for (const [id, check] of contentChecks) note(id, check(enrolment.evidence));
  return finish({ log, consortium: enrolment.consortium, operatorKey: enrolment.operatorKey, totals: totalsOf(enrolment.evidence) });
}

async function ownPolicy(read: ReadFile): Promise<WitnessPolicy | undefined> {
  const bytes = await read(POLICY_PATH);
  try {
    return bytes && parsePolicy(Buffer.from(bytes).toString('utf8'));
  } catch {
    return undefined;
  }
}

function earlierFinding(
  note: string | Uint8Array | undefined,
  policy: WitnessPolicy,
  check: (earlier: OpenedCheckpoint | undefined) => Finding,
): Finding {
  if (note === undefined) return check(undefined);
  try {
    return check(openCheckpoint(note, [...policy.logs, ...policy.witnesses]));
  } catch (error) {
    return { detail: 'the earlier checkpoint is refused', problems: [{ where: 'earlier checkpoint', problem: (error as Error).message }] };
  }
}
