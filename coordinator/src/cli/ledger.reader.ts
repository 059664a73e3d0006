import { type LedgerContent, type LedgerSource, readLedger as readFrom } from '@coferment/ledger';
import { type OperatorClient, ask, downloadObject } from './operator.client.js';

export { statementsOf } from '@coferment/ledger';

/** The ledger of a running coordinator. */
export function ledgerOf(client: OperatorClient): LedgerSource {
  const { ledger } = client;
  return {
    checkpoint: async () => (await ask(ledger.getCheckpoint.bind(ledger), {})).checkpoint,
    entries: async (start, limit) => (await ask(ledger.getEntries.bind(ledger), { start, limit })).entries,
    consistencyProof: async (oldSize, newSize) => (await ask(ledger.getConsistencyProof.bind(ledger), { oldSize, newSize })).hashes,
    object: (digest) => downloadObject(client, digest),
  };
}

/** The ledger up to its present checkpoint. */
export function readLedger(client: OperatorClient): Promise<LedgerContent> {
  return readFrom(ledgerOf(client), client.logVkey);
}
