import type { PolicyInForce, SitePolicy } from '../policy/policy.file.js';
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
