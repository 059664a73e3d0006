import { type Statement, parseStatement } from '@coferment/consortium';
import { type OperatorClient, ask } from './operator.client.js';

const PAGE = 256;

export interface LedgerContent {
  /** The signed checkpoint over exactly these entries. */
  checkpoint: string;
  entries: Uint8Array[];
  payloads: Uint8Array[];
}

/** The ledger up to its present checkpoint. */
export async function readLedger({ ledger }: OperatorClient): Promise<LedgerContent> {
  const { checkpoint } = await ask(ledger.getCheckpoint.bind(ledger), {});
  const size = Number(checkpoint.split('\n')[1]);
  const content: LedgerContent = { checkpoint, entries: [], payloads: [] };
  while (content.entries.length < size) {
    const start = content.entries.length;
    const { entries } = await ask(ledger.getEntries.bind(ledger), { start, limit: Math.min(PAGE, size - start) });
    for (const { entry, payload } of entries) {
      content.entries.push(entry);
      content.payloads.push(payload);
    }
  }
  return content;
}

export function statementsOf({ payloads }: LedgerContent): Statement[] {
  return payloads.map(parseStatement);
}
