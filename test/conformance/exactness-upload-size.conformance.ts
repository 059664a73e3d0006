import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server as NetServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Predicate, planAggregation, signStatement } from '@coferment/consortium';
import {
  bytesToHex,
  ciphertextBlockDigests,
  coefficientCount,
  deal,
  digest,
  encryptVector,
  generateIdentity,
  loadCrypto,
  merkleRoot,
  packVector,
} from '@coferment/crypto';
import {
  NonceServiceClient,
  NonceServiceService,
  ObjectPurpose,
  StatementServiceClient,
  StatementServiceService,
  UploadServiceClient,
  UploadServiceService,
} from '@coferment/proto';
import { credentials, Server, ServerCredentials, type ServiceError, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { toWire } from '../../client-agent/src/connection/envelope.codec.js';
import { ObjectCache } from '../../client-agent/src/connection/object.cache.js';
import { uploadObject } from '../../client-agent/src/connection/object.transfer.js';

/*
 * What one site sends in one round, counted on the wire: a real upload through the agent's own client, with the signed statements around it, HTTP/2 frames,
 * headers and acknowledgements. TLS 1.3 is added as a record of its own for every frame, more than it ever makes.
 */
const TLS_RECORD_BYTES = 22;
const HTTP2_FRAME_BYTES = 9;
/** Behind an update: weight, two numbers of the holdout, loss. */
const EXACT = 4;
const RUN = 'r1-0123456789abcdef';

let folder: string;
let server: Server;
let counter: NetServer;
let sent: Buffer[];

beforeAll(async () => {
  await loadCrypto();
  folder = mkdtempSync(join(tmpdir(), 'upload-size-'));
  server = new Server();
  let received = 0;
  const answer = (_call: unknown, reply: (error: null, response: { digest: string }) => void): void =>
    reply(null, { digest: digest('answer') });
  const uploads: UntypedServiceImplementation = {
    getUpload: (_call: unknown, reply: (error: null, response: object) => void) => reply(null, { received: 0, complete: false }),
    upload: (call: NodeJS.ReadableStream, reply: (error: null, response: object) => void) => {
      call.on('data', ({ part }: { part?: { $case: string; chunk?: Uint8Array } }) => (received += part?.chunk?.length ?? 0));
      call.on('end', () => reply(null, { received, complete: true }));
    },
  };
  server.addService(UploadServiceService, uploads);
  server.addService(NonceServiceService, { submitNonce: answer });
  server.addService(StatementServiceService, { submitStatement: answer });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  counter = createServer((client: Socket) => {
    const upstream = connect(port, '127.0.0.1');
    client.on('data', (bytes: Buffer) => sent.push(bytes));
    client.pipe(upstream).pipe(client);
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
  });
  counter.listen(0, '127.0.0.1');
  await once(counter, 'listening');
});

afterAll(() => {
  counter.close();
  server.forceShutdown();
  rmSync(folder, { recursive: true });
});

/** Frames of a client's HTTP/2 connection: 24 bytes of preface, then each with its length in its first three bytes. */
function frameCount(bytes: Buffer): number {
  let frames = 0;
  for (let at = 24; at < bytes.length; at += HTTP2_FRAME_BYTES + bytes.readUIntBE(at, 3)) frames++;
  return frames;
}

/** Bytes of a round's client side, for an upload of so many parameters. */
async function bytesOnTheWire(
  sites: number,
  keyHolders: number,
  threshold: number,
  parameters: number,
): Promise<{ wire: number; object: number }> {
  const planned = planAggregation({ sites, keyHolders, threshold });
  const shape = { packed: parameters, exact: EXACT };
  const k = digest('round');
  const { secretKey } = deal({ e0: 'e0', dealer: 'site-1', parameters: { ...planned, keyHolders: 2, threshold: 2 } });
  const coefficients = packVector(shape, planned, new Uint32Array(parameters).fill(2 ** planned.valueBits - 1), new Float64Array(EXACT));
  const upload = encryptVector({ parameters: planned, k, secretKey, coefficients });
  const cache = new ObjectCache(folder);
  const object = { ...(await cache.find(cache.store(upload)))!, purpose: ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, run: RUN };
  const blocks = ciphertextBlockDigests(upload, coefficientCount(shape, planned), planned);
  const identity = generateIdentity();
  const some = digest('some');
  const inRun = { consortium: 'fermentation-consortium', run: RUN };
  const inSum = { ...inRun, e: some, kind: 'update' as const, sum: 137 };
  const contribution: Predicate<'contribution'> = {
    ...inSum,
    k,
    attempt: 1,
    site: 'site-of-a-long-name-1',
    blocks: blocks.length,
    droppedBits: planned.droppedBits,
    object: object.digest,
    merkleRoot: merkleRoot(blocks),
    ranges: some,
    sampleCommitment: some,
    batchCommitment: some,
    dataReportCommitment: some,
    backend: 'tensorflow',
  };
  const nonce: Predicate<'nonce'> = { ...inSum, i: some, attempt: 1, site: contribution.site, nonce: bytesToHex(new Uint8Array(32)) };
  const attestation: Predicate<'attestation'> = {
    ...inRun,
    epoch: 1,
    e: some,
    kind: 'update',
    site: contribution.site,
    sums: [{ sum: 137, k, t: some, set: some, modelIn: some }],
  };
  sent = [];
  const { port } = counter.address() as AddressInfo;
  const of = [`127.0.0.1:${port}`, credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 }] as const;
  const clients = {
    nonces: new NonceServiceClient(...of),
    uploads: new UploadServiceClient(...of),
    statements: new StatementServiceClient(...of),
  };
  const submitted = (call: (reply: (error: ServiceError | null) => void) => unknown): Promise<void> =>
    new Promise((resolve, reject) => call((error) => (error === null ? resolve() : reject(error))));
  await submitted((reply) => clients.nonces.submitNonce({ nonce: toWire(signStatement('nonce', nonce, identity)) }, reply));
  const nonceBytes = Buffer.concat(sent);
  sent = [];
  await uploadObject(clients.uploads, object);
  const uploadBytes = Buffer.concat(sent);
  sent = [];
  await submitted((reply) =>
    clients.statements.submitStatement({ statement: toWire(signStatement('contribution', contribution, identity)) }, reply),
  );
  await submitted((reply) =>
    clients.statements.submitStatement({ statement: toWire(signStatement('attestation', attestation, identity)) }, reply),
  );
  const statementBytes = Buffer.concat(sent);
  for (const client of Object.values(clients)) client.close();
  const wire = [nonceBytes, uploadBytes, statementBytes].reduce(
    (sum, bytes) => sum + bytes.length + TLS_RECORD_BYTES * (frameCount(bytes) + 1),
    0,
  );
  return { wire, object: upload.length };
}

it.each([
  [16, 5, 4, 100_000, 3.3],
  [16, 5, 4, 1_000_000, 3.3],
  [100, 12, 9, 100_000, 5],
  [100, 12, 9, 1_000_000, 5],
])('%i sites with (%i, %i): an upload of %i parameters takes at most so many bytes each, everything included: %d', async (...choice) => {
  const [sites, keyHolders, threshold, parameters, most] = choice;
  const { wire, object } = await bytesOnTheWire(sites, keyHolders, threshold, parameters);
  console.log(
    `n = ${sites}, (${keyHolders}, ${threshold}), ${parameters} parameters: ${object} bytes of ciphertext (${(object / parameters).toFixed(3)} a parameter), ` +
      `${wire} on the wire (${(wire / parameters).toFixed(3)})`,
  );
  expect(wire).toBeGreaterThan(object);
  expect(wire / parameters).toBeLessThanOrEqual(most);
});
