import { createServer } from 'node:http';
import { MerkleTree, encodeVkey, leafHash, publicKeyFromSeed, signCheckpoint, verifierKey } from '@coferment/ledger';
import { Agent } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { HttpWitness } from '../testing/http-witness.fixture.js';
import { bringCheckpoint } from './witness.call.js';

const LOG = new Uint8Array(32).fill(1);
const ORIGIN = 'ledger.example/acme';
const vkey = encodeVkey(verifierKey('log', ORIGIN, publicKeyFromSeed(LOG)));
const tree = new MerkleTree(Array.from({ length: 40 }, (_, index) => leafHash(Buffer.from(`${index}`))));
const agent = new Agent();
const how = { dispatcher: agent, signal: new AbortController().signal };

const checkpointOf = (size: number) => ({
  size,
  signed: signCheckpoint({ origin: ORIGIN, size: BigInt(size), root: tree.root(BigInt(size)) }, LOG),
  proofFrom: async (oldSize: number) => tree.consistencyProof(BigInt(oldSize), BigInt(size)),
});

describe('a call to a witness', () => {
  let witness: HttpWitness;
  beforeAll(async () => {
    witness = await new HttpWitness('witness.example/w', () => vkey).listen();
  });
  beforeEach(() => witness.remember(20n, tree.root(20n)));
  afterAll(async () => {
    await witness.close();
    await agent.close();
  });

  it.each([0, 3, 20])('goes on from where the witness is, when it is thought to be at %i', async (known) => {
    const lines = await bringCheckpoint(witness.url, checkpointOf(33), known, how);
    expect(lines).toMatch(/^— witness\.example\/w \S+\n$/);
    expect(witness.asked.at(-1)).toMatchObject({ oldSize: 20, size: 33, status: 200 });
  });

  it('is made again for what the witness has cosigned already', async () => {
    expect(await bringCheckpoint(witness.url, checkpointOf(20), 20, how)).toContain('witness.example/w');
  });

  it('of another history is refused by the witness', async () => {
    witness.remember(20n, tree.root(19n));
    await expect(bringCheckpoint(witness.url, checkpointOf(33), 20, how)).rejects.toThrow('may have seen another ledger of this name');
  });

  it.each<[string, NonNullable<HttpWitness['instead']>, RegExp]>([
    ['does not know the ledger', { status: 404, body: '', times: 1 }, /does not know this ledger \(404\)/],
    ['does not know its key', { status: 403, body: '', times: 1 }, /does not know the key/],
    ['fails', { status: 500, body: 'x', times: 1 }, /status 500/],
    ['sends one elsewhere', { status: 302, body: '', times: 1 }, /status 302/],
    ['names no size', { status: 409, body: 'many', times: 1 }, /status 409/],
    ['names a size with zeros in front', { status: 409, body: '020\n', times: 1 }, /status 409/],
    ['names a size beyond all numbers', { status: 409, body: '9'.repeat(40), times: 1 }, /status 409/],
    ['is ahead of the ledger', { status: 409, body: '1000000\n', times: 1 }, /has cosigned 1000000 entries; 33 are offered/],
    ['names sizes without end', { status: 409, body: '2\n', times: 4 }, /another size each time/],
    ['answers without end', { status: 200, body: 'x'.repeat(100_000), times: 1 }, /more than 65536 bytes/],
  ])('that %s says so', async (_, instead, problem) => {
    witness.instead = instead;
    await expect(bringCheckpoint(witness.url, checkpointOf(33), 20, how)).rejects.toThrow(problem);
    witness.instead = undefined;
  });

  it('does not outlast the coordinator', async () => {
    const silent = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((listening) => silent.once('listening', listening));
    const { port } = silent.address() as { port: number };
    const stop = new AbortController();
    const call = bringCheckpoint(`http://127.0.0.1:${port}`, checkpointOf(33), 0, { ...how, signal: stop.signal });
    setTimeout(() => stop.abort(), 20);
    await expect(call).rejects.toThrow();
    silent.closeAllConnections();
    silent.close();
  });
});
