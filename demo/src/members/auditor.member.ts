import { join } from 'node:path';
import { z } from 'zod';
import type { ProcessGroup } from '../processes/index.js';
import { readAnswer } from './command.answer.js';
import type { MemberFolders } from './member.folders.js';
import { AUDITOR_PROGRAM } from './program.path.js';

/** Exit codes of the auditor's command. */
const HOLDS = 0;
const DOES_NOT_HOLD = 1;

const report = z.object({
  verdict: z.string(),
  summary: z.string(),
  log: z.object({ origin: z.string(), size: z.coerce.number(), root: z.string() }),
});

/** What the auditor knows from outside the export. */
export interface AuditKeys {
  readonly logVkey: string;
  readonly operatorKey: string;
}

export interface AuditVerdict {
  readonly verified: boolean;
  readonly summary: string;
  readonly origin: string;
  readonly size: number;
  /** Hex. */
  readonly rootHash: string;
}

/**
 * The auditor: a process that sees the exported folder and two keys, and nothing else of the demo.
 * @throws DemoError 'process-failed' when the ledger could not be checked; one that does not hold is an answer.
 */
export async function auditLedger(group: ProcessGroup, folders: MemberFolders, keys: AuditKeys): Promise<AuditVerdict> {
  const program = group.start({
    name: 'coferment-audit verify',
    script: AUDITOR_PROGRAM,
    args: ['verify', folders.ledger, '--key', keys.logVkey, '--operator-key', keys.operatorKey, '--json'],
    logFile: join(folders.logs, 'auditor.log'),
  });
  const { code } = await program.ended;
  if (code !== HOLDS && code !== DOES_NOT_HOLD) throw program.failure();
  const { verdict, summary, log } = readAnswer('coferment-audit verify', program.outputLines, report);
  return { verified: code === HOLDS && verdict === 'holds', summary, origin: log.origin, size: log.size, rootHash: log.root };
}
