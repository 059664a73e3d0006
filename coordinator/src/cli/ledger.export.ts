import { type CopiedLedger, type CopyOptions, copyLedger } from '@coferment/ledger';
import { ledgerOf } from './ledger.reader.js';
import type { OperatorClient } from './operator.client.js';

export interface WrittenLedger extends CopiedLedger {
  logVkey: string;
  out: string;
}

/** Writes the ledger in the layout that the auditor's command reads, with the objects from which models can be recomputed. */
export async function exportLedger(client: OperatorClient, out: string, options: CopyOptions = {}): Promise<WrittenLedger> {
  const { logVkey } = client;
  return { ...(await copyLedger(ledgerOf(client), logVkey, out, options)), logVkey, out };
}
