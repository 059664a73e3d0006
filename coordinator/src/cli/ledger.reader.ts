import { type LedgerContent, LedgerError, type LedgerSource, readLedger as readFrom } from '@coferment/ledger';
import { CoordinatorError } from '../errors/index.js';
import { type OperatorClient, ask, objectChunks } from './operator.client.js';

export { statementsOf } from '@coferment/ledger';

/** The ledger of a running coordinator. */
export function ledgerOf(client: OperatorClient): LedgerSource {
  const { ledger } = client;
  return {
    checkpoint: () => ask(ledger.getCheckpoint.bind(ledger), {}),
    entries: async (start, limit) => (await ask(ledger.getEntries.bind(ledger), { start, limit })).entries,
    object: (digest, offset) => objectOf(client, digest, offset),
    consistencyProof: async (oldSize, newSize) => (await ask(ledger.getConsistencyProof.bind(ledger), { oldSize, newSize })).hashes,
  };
}

async function* objectOf(client: OperatorClient, digest: string, offset: number): AsyncGenerator<Uint8Array> {
  try {
    yield* objectChunks(client, digest, offset);
  } catch (error) {
    if (!(error instanceof CoordinatorError && error.code === 'unknown-object')) throw error;
    throw new LedgerError('missing-resource', error.message, { cause: error });
  }
}

/** The ledger up to its present checkpoint. */
export function readLedger(client: OperatorClient): Promise<LedgerContent> {
  return readFrom(ledgerOf(client), client.logVkey);
}
