import { join } from 'node:path';

/** Where everything of one demo lies. No member reads another member's folder. */
export interface MemberFolders {
  readonly out: string;
  readonly coordinator: string;
  readonly sites: string;
  readonly records: string;
  readonly passphrases: string;
  readonly logs: string;
  readonly ledger: string;
  readonly receipts: string;
  /** The auditor's page. */
  readonly report: string;
  readonly model: string;
}

export function memberFolders(out: string): MemberFolders {
  const below = (name: string): string => join(out, name);
  return {
    out,
    coordinator: below('coordinator'),
    sites: below('sites'),
    records: below('records'),
    passphrases: below('passphrases'),
    logs: below('logs'),
    ledger: below('ledger'),
    receipts: below('receipts'),
    report: below('report.html'),
    model: below('model'),
  };
}
