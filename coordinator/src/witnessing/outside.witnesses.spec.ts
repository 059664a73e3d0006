import { MerkleTree, encodeVkey, leafHash, publicKeyFromSeed, signCheckpoint, verifierKey } from '@coferment/ledger';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { ConsortiumIdentity } from '../identity/consortium.identity.js';
import type { LedgerLog } from '../publication/ledger.log.js';
import type { Log } from '../telemetry/log.js';
import { HttpWitness } from '../testing/http-witness.fixture.js';
import { CheckpointOffer } from './checkpoint.offer.js';
import { OutsideWitnesses } from './outside.witnesses.js';
import type { WorkLeases } from '../replicas/work.leases.js';
import type { WitnessingService } from './witnessing.service.js';

const LOG = new Uint8Array(32).fill(1);
const ORIGIN = 'ledger.example/acme';
const vkey = encodeVkey(verifierKey('log', ORIGIN, publicKeyFromSeed(LOG)));
const tree = new MerkleTree(Array.from({ length: 40 }, (_, index) => leafHash(Buffer.from(`${index}`))));
const offers = [10, 33].map((size) => {
  const signed = signCheckpoint({ origin: ORIGIN, size: BigInt(size), root: tree.root(BigInt(size)) }, LOG);
  return new CheckpointOffer(size, signed, { keys: [], quorum: 0, policy: '' }, 0);
});
const witness = new HttpWitness('witness.example/w', () => vkey);
const added: number[] = [];

/** Knows nothing of where the witness is, as a coordinator whose offers of then are gone. */
const witnessing = {
  current: offers.at(-1),
  lastCosignatures: () => new Map(),
  owedBy: (_key: unknown, seen: number) => offers.find(({ size }) => size > seen && !added.includes(size)),
  addOfOutsider: async (_key: unknown, { size }: CheckpointOffer) => void added.push(size),
  nextOffer: (_ms: number, signal: AbortSignal) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
};
const ledger = { consistencyProof: async (older: number, newer: number) => tree.consistencyProof(BigInt(older), BigInt(newer)) };
const warnings: string[] = [];

beforeAll(() => witness.listen());
afterAll(() => witness.close());

it('brings a witness that has passed an offer the next one, at once and without a complaint', async () => {
  witness.remember(20n, tree.root(20n));
  const outside = new OutsideWitnesses(
    witnessing as unknown as WitnessingService,
    ledger as unknown as LedgerLog,
    { facts: { witnessServers: [`${witness.vkey} ${witness.url}`] } } as unknown as ConsortiumIdentity,
    { warn: (text: string) => void warnings.push(text), info: () => {} } as unknown as Log,
    {
      whileHeld: (_name: string, work: (lost: AbortSignal) => Promise<void>) => work(new AbortController().signal),
    } as unknown as WorkLeases,
  );
  outside.start();
  await vi.waitFor(() => expect(added).toEqual([33]), 10_000);
  expect(witness.asked).toMatchObject([
    { size: 10, status: 409 },
    { size: 33, status: 409 },
    { size: 33, oldSize: 20, status: 200 },
  ]);
  expect(warnings).toEqual([]);
  await outside.onModuleDestroy();
});
