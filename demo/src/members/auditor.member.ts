import { join } from 'node:path';
import { z } from 'zod';
import type { ProcessGroup } from '../processes/index.js';
import { readAnswer } from './command.answer.js';
import type { MemberFolders } from './member.folders.js';
import { AUDITOR_PROGRAM } from './program.path.js';

/** Exit codes of the auditor's command. */
const HOLDS = 0;
const DOES_NOT_HOLD = 1;

const fetched = z.object({ kind: z.literal('copied'), served: z.coerce.number() });
const verified = z.object({
  verdict: z.string(),
  summary: z.string(),
  log: z.object({ origin: z.string(), size: z.coerce.number(), root: z.string(), signedBy: z.array(z.string()) }),
});
const recomputed = z.object({ verdict: z.string(), sums: z.array(z.unknown()) });
const judged = z.object({ verdict: z.string(), contributions: z.array(z.object({ site: z.string(), witnesses: z.array(z.string()) })) });

/** What the auditor knows from outside the ledger. */
export interface AuditKeys {
  readonly logVkey: string;
  readonly operatorKey: string;
  /** File that says which witnesses must have cosigned, as a site gave it; without it the ledger's own charter decides. */
  readonly policy?: string;
}

export interface AuditVerdict {
  readonly verified: boolean;
  readonly summary: string;
  readonly origin: string;
  readonly size: number;
  /** Hex. */
  readonly rootHash: string;
  /** `name+keyID` of the witnesses that cosigned the checkpoint. */
  readonly witnesses: readonly string[];
}

export interface CheckedReceipt {
  readonly holds: boolean;
  readonly site: string;
  /** How many cosigned the checkpoint that it stands on. */
  readonly witnesses: number;
}

/** What the auditor found. */
export interface Audit {
  readonly verdict: AuditVerdict;
  readonly recomputed: { readonly sums: number; readonly same: boolean };
  readonly receipt: CheckedReceipt;
}

/** The auditor: processes that see a web address, two keys and what a site hands out, and nothing else of the demo. */
export class AuditorMember {
  constructor(
    private readonly group: ProcessGroup,
    private readonly folders: MemberFolders,
    private readonly keys: AuditKeys,
  ) {}

  /** Downloads the whole ledger with the ciphertexts and decryption shares of every sum. @returns its number of entries */
  async fetch(url: string): Promise<number> {
    const { lines } = await this.run(['fetch', url, this.folders.ledger, '--with-objects', '--key', this.keys.logVkey]);
    return readAnswer('coferment-audit fetch', lines, fetched).served;
  }

  /** Checks everything that the ledger claims. One that does not hold is an answer. @throws DemoError 'process-failed' when it could not be checked */
  async verify(): Promise<AuditVerdict> {
    const { code, lines } = await this.run(['verify', this.folders.ledger, ...this.pinned]);
    const { verdict, summary, log } = readAnswer('coferment-audit verify', lines, verified);
    return {
      verified: code === HOLDS && verdict === 'holds',
      summary,
      origin: log.origin,
      size: log.size,
      rootHash: log.root,
      witnesses: log.signedBy.filter((key) => !this.keys.logVkey.startsWith(key)),
    };
  }

  /** Opens every published sum again from its ciphertexts and shares, and computes every model. @returns how many sums, and whether all came out the same */
  async recompute(): Promise<{ sums: number; same: boolean }> {
    const { code, lines } = await this.run(['recompute', this.folders.ledger, '--all', ...this.pinned]);
    const { sums } = readAnswer('coferment-audit recompute', lines, recomputed);
    return { sums: sums.length, same: code === HOLDS };
  }

  /** Checks what a site shows as proof of one contribution. */
  async receipt(files: readonly string[]): Promise<CheckedReceipt> {
    const { code, lines } = await this.run(['receipt', ...files, ...this.pinned]);
    const [contribution] = readAnswer('coferment-audit receipt', lines, judged).contributions;
    return { holds: code === HOLDS, site: contribution?.site ?? '', witnesses: contribution?.witnesses.length ?? 0 };
  }

  async report(): Promise<void> {
    await this.run(['report', this.folders.ledger, '--out', this.folders.report, ...this.pinned]);
  }

  private get pinned(): string[] {
    const { logVkey, operatorKey, policy } = this.keys;
    return [...(policy === undefined ? ['--key', logVkey] : ['--policy', policy]), '--operator-key', operatorKey];
  }

  private async run(args: readonly string[]): Promise<{ code: number; lines: readonly string[] }> {
    const program = this.group.start({
      name: `coferment-audit ${args[0]}`,
      script: AUDITOR_PROGRAM,
      args: [...args, '--json'],
      logFile: join(this.folders.logs, 'auditor.log'),
    });
    const { code } = await program.ended;
    if (code !== HOLDS && code !== DOES_NOT_HOLD) throw program.failure();
    return { code, lines: program.outputLines };
  }
}
