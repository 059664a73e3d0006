import { AgentError } from '../agent.error.js';
import { type PolicyInForce, POLICY_NAME, type SitePolicy } from '../policy/policy.file.js';
import type { RecordRepository } from './record.repository.js';

/** The rules of this site, written down whenever others are in force than before. */
export class RecordedPolicy implements SitePolicy {
  #noted: string | null | undefined;

  constructor(
    private readonly policy: SitePolicy,
    private readonly record: RecordRepository,
  ) {}

  current(): PolicyInForce {
    const inForce = this.policy.current();
    if (inForce.digest !== this.#noted) this.record.note({ kind: 'policy-changed', digest: inForce.digest });
    this.#noted = inForce.digest;
    return inForce;
  }
}

/**
 * Rules do not end because their file is gone: whoever removes it and restarts the agent would take the floors of runs along that were approved under them.
 * @throws AgentError 'policy-missing'
 */
export function requireRules(record: RecordRepository, { digest }: PolicyInForce, folder: string): void {
  const before = rulesOf(record);
  if (digest !== null || before === null) return;
  throw new AgentError(
    'policy-missing',
    `This site has standing rules (a policy file with SHA-256 ${before}), and now there is no policy file: neither ${POLICY_NAME} in ${folder} nor one named with --policy. Without its rules this site does nothing. Put the file back, or name it with --policy. If it is to serve without rules, say so: coferment-agent policy drop --data ${folder}`,
  );
}

/** From now on this site has no rules. Returns the digest of those that it had; null where it had none, and nothing was written. */
export function dropRules(record: RecordRepository): string | null {
  const before = rulesOf(record);
  if (before !== null) record.append({ kind: 'policy-changed', digest: null });
  return before;
}

function rulesOf(record: RecordRepository): string | null {
  const digest = record.latest('policy-changed')?.['digest'];
  return typeof digest === 'string' ? digest : null;
}
