import { type StoreSecret, loadCrypto } from '@coferment/crypto';
import { type CallOptions, type Client, type ClientUnaryCall, Metadata, type ServiceError, credentials, status } from '@grpc/grpc-js';
import { DownloadServiceClient, LedgerServiceClient, ModelServiceClient, OperatorServiceClient } from '@coferment/proto';
import { localAddress } from '../agent-port/agent.address.js';
import { CODE_KEY } from '../agent-port/error.status.js';
import { CoordinatorError, type CoordinatorErrorCode } from '../errors/index.js';
import { readFacts } from '../identity/consortium.facts.js';
import { unlockOperatorClient } from '../identity/consortium.identity.js';
import { lastAddress } from '../running.address.js';

const LONGEST_CALL_MS = 60_000;

/** A running coordinator, called with the operator's certificate. */
export interface OperatorClient {
  /** The log's key, from the coordinator's own folder. */
  logVkey: string;
  operator: OperatorServiceClient;
  ledger: LedgerServiceClient;
  download: DownloadServiceClient;
  model: ModelServiceClient;
  close(): void;
}

/** @throws CoordinatorError 'folder-unusable', 'wrong-passphrase' */
export async function connect(folder: string, passphrase: StoreSecret): Promise<OperatorClient> {
  await loadCrypto();
  const facts = readFacts(folder);
  const listening = lastAddress(folder);
  if (listening === undefined)
    throw new CoordinatorError('unreachable', `The coordinator of ${folder} has never run. Start it: coferment start --data ${folder} …`);
  const address = localAddress(listening);
  const { privateKey, certificate } = unlockOperatorClient(folder, passphrase);
  const tls = credentials.createSsl(Buffer.from(facts.authority), Buffer.from(privateKey), Buffer.from(certificate));
  const options = {
    'grpc.ssl_target_name_override': facts.serverName,
    'grpc.default_authority': facts.serverName,
    'grpc.max_receive_message_length': -1,
    // The coordinator of a data folder runs on this machine: a proxy that the environment names is for others.
    'grpc.enable_http_proxy': 0,
    // Whoever watches sees soon that a coordinator is back; it is on this machine, so asking often costs nothing.
    'grpc.max_reconnect_backoff_ms': 2000,
  };
  const clients = {
    operator: new OperatorServiceClient(address, tls, options),
    ledger: new LedgerServiceClient(address, tls, options),
    download: new DownloadServiceClient(address, tls, options),
    model: new ModelServiceClient(address, tls, options),
  };
  return { ...clients, logVkey: facts.logVkey, close: () => Object.values(clients).forEach((client: Client) => client.close()) };
}

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  done: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** One unary call as a promise. @throws CoordinatorError with the coordinator's own code */
export function ask<Request, Response>(call: Unary<Request, Response>, request: Request): Promise<Response> {
  return new Promise((resolve, reject) => {
    call(request, new Metadata(), { deadline: Date.now() + LONGEST_CALL_MS }, (error, response) =>
      error === null ? resolve(response) : reject(refusal(error)),
    );
  });
}

export function refusal(error: ServiceError): CoordinatorError {
  const code = error.metadata?.get(CODE_KEY)[0];
  if (code !== undefined) return new CoordinatorError(String(code) as CoordinatorErrorCode, error.details, { cause: error });
  if (error.code === status.UNAVAILABLE)
    return new CoordinatorError('unreachable', 'The coordinator does not answer. Is it running? coferment start --data DIR', {
      cause: error,
    });
  return new CoordinatorError('internal', error.message, { cause: error });
}

/** A whole object by its digest. */
export async function downloadObject(client: OperatorClient, digest: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of objectChunks(client, digest, 0)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The bytes of an object from `offset` on, as they come. @throws CoordinatorError with the coordinator's own code */
export async function* objectChunks(client: OperatorClient, digest: string, offset: number): AsyncGenerator<Buffer> {
  const stream = client.download.download({ digest, offset, length: 0 });
  try {
    for await (const { chunk } of stream as AsyncIterable<{ chunk: Buffer }>) if (chunk.length > 0) yield chunk;
  } catch (error) {
    throw refusal(error as ServiceError);
  } finally {
    stream.cancel();
  }
}
