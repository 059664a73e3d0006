/*
 * Every method of the wire, as the services define it, called by everybody: a method that is added tomorrow is called without a line here. Requests are made from
 * the empty message of the method: its fields filled with what is known of the consortium, or with nonsense, or bytes that are no message at all.
 */
import type { Identity } from '@coferment/crypto';
import * as proto from '@coferment/proto';
import { type Client, Metadata, type MethodDefinition, type ServiceDefinition, type ServiceError, status } from '@grpc/grpc-js';
import { CODE_KEY } from '../../coordinator/src/agent-port/error.status.js';
import { type Dice, mutate, mutateEncoding } from './wire.mutation.fixture.js';

export type Method = MethodDefinition<object, object>;

/** In the order of the services; the operator's come last, and of those what ends memberships, runs and authorities. */
export const METHODS: readonly Method[] = Object.entries(proto)
  .flatMap(([name, value]) => (name.endsWith('ServiceService') ? Object.values(value as ServiceDefinition) : []))
  .toSorted((a, b) => ending(a.path) - ending(b.path)) as Method[];

function ending(path: string): number {
  if (!path.includes('OperatorService')) return 0;
  return /Abort|Revoke|Remove|Refuse|Roll|Retire/.test(path) ? 2 : 1;
}

/** What somebody on this wire may have seen. */
export interface Vocabulary {
  texts: readonly string[];
  /** Taken for fields of this name as often as any other text, so that some requests get far. */
  textsOf: Readonly<Record<string, readonly string[]>>;
  numbers: readonly number[];
  bytes: readonly Uint8Array[];
  /** For fields that hold messages, by the name of the field. */
  messages: Readonly<Record<string, readonly object[]>>;
  signers: readonly Identity[];
}

/** The messages of one call: one, or some for a stream. */
export function requestOf(method: Method, vocabulary: Vocabulary, dice: Dice): Buffer[] {
  const parts = method.requestStream ? dice.below(4) : 1;
  return Array.from({ length: parts }, () => messageOf(method, vocabulary, dice));
}

function messageOf(method: Method, vocabulary: Vocabulary, dice: Dice): Buffer {
  if (dice.below(6) === 0) return randomFields(dice, 3);
  const filled = fill(method.requestDeserialize(Buffer.alloc(0)), vocabulary, dice);
  try {
    const message = dice.below(2) === 0 ? filled : mutate(filled, dice, vocabulary.signers);
    return Buffer.from(mutateEncoding(method.requestSerialize(message), dice));
  } catch {
    // A list of messages was filled with texts, or a number with a text: this cannot be encoded.
    return randomFields(dice, 3);
  }
}

function fill(empty: object, { texts, textsOf, numbers, bytes, messages }: Vocabulary, dice: Dice): object {
  const text = (key: string) => dice.of(dice.below(2) === 0 ? (textsOf[key] ?? texts) : texts);
  const value = (key: string, was: unknown): unknown => {
    if (dice.below(8) === 0) return was;
    const known = messages[key];
    if (known !== undefined) return structuredClone(Array.isArray(was) ? [dice.of(known)] : dice.of(known));
    if (typeof was === 'string') return text(key);
    if (typeof was === 'number') return dice.of(numbers);
    if (typeof was === 'boolean') return dice.below(2) === 0;
    if (was instanceof Uint8Array) return dice.of(bytes);
    if (Array.isArray(was)) return Array.from({ length: dice.below(4) }, () => text(key));
    return was;
  };
  return Object.fromEntries(Object.entries(empty).map(([key, was]) => [key, value(key, was)]));
}

/** Fields of any number and any wire type (protobuf encoding: varint, 64 bits, length and bytes, 32 bits), some of them messages again. */
function randomFields(dice: Dice, depth: number): Buffer {
  const fields = Array.from({ length: 1 + dice.below(4) }, () => {
    const type = dice.of([0, 1, 2, 2, 2, 5]);
    const tag = Buffer.from([((1 + dice.below(12)) << 3) | type]);
    if (type === 0) return Buffer.concat([tag, Buffer.from([0x80 | dice.below(128), dice.below(128)])]);
    if (type === 1) return Buffer.concat([tag, Buffer.alloc(8, dice.below(256))]);
    if (type === 5) return Buffer.concat([tag, Buffer.alloc(4, dice.below(256))]);
    const inner = depth === 0 || dice.below(2) === 0 ? Buffer.alloc(dice.below(40), dice.below(256)) : randomFields(dice, depth - 1);
    return Buffer.concat([tag, Buffer.from([inner.length & 0x7f]), inner]);
  });
  return Buffer.concat(fields);
}

export interface Answer {
  /** `ok`, `held`, the code of a refusal, or gRPC's own name for what has none. */
  code: string;
  /** Everything that a refusal says. */
  text: string;
}

/** Calls that wait, such as polls, are hung up after this long. */
const HELD_MS = 250;
/** Says only that no answer ever comes. */
const HANG_MS = 60_000;
const same = (value: Buffer) => value;

/** Sends bytes as they are. @param mayWait whether it is hung up when it is one that waits on purpose. @throws Error when no answer comes */
export function callMethod(
  client: Client,
  { path, requestStream, responseStream }: Method,
  parts: readonly Buffer[],
  mayWait: boolean,
): Promise<Answer> {
  const deadline = { deadline: Date.now() + HANG_MS };
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const ended = (error: ServiceError | null) => {
    clearTimeout(hangUp);
    if (error === null) return resolve({ code: 'ok', text: '' });
    if (error.code === status.CANCELLED) return resolve({ code: 'held', text: '' });
    if (error.code === status.DEADLINE_EXCEEDED) return reject(new Error(`${path} does not answer`));
    const own = error.metadata?.get(CODE_KEY)[0];
    const text = `${error.details} ${JSON.stringify(error.metadata?.getMap() ?? {})}`;
    resolve({ code: own === undefined ? `grpc ${status[error.code]}` : String(own), text });
  };
  const [first = Buffer.alloc(0)] = parts;
  let hangUp: NodeJS.Timeout | undefined;
  // A slow machine must not make every call one that was held: only calls that wait on purpose are hung up.
  const hangUpOn = (call: { cancel(): void }) => {
    if (mayWait) hangUp = setTimeout(() => call.cancel(), HELD_MS);
  };
  if (requestStream) {
    const stream = client.makeClientStreamRequest(path, same, same, new Metadata(), deadline, ended);
    stream.on('error', () => undefined);
    for (const part of parts) stream.write(part);
    stream.end();
  } else if (responseStream) {
    const stream = client.makeServerStreamRequest(path, same, same, first, new Metadata(), deadline);
    stream.on('data', () => undefined);
    stream.on('error', (error) => ended(error as ServiceError));
    stream.on('end', () => ended(null));
    hangUpOn(stream);
  } else {
    const call = client.makeUnaryRequest(path, same, same, first, new Metadata(), deadline, ended);
    if (/Poll$|AwaitCheckpoint$/.test(path)) hangUpOn(call);
  }
  return promise;
}

/** What no answer may say: where the program lies, what it is written in, what its database is asked. */
const INSIDE =
  /\n\s+at |node_modules|\.(?:ts|js|mjs):\d|file:\/\/|TypeError|RangeError|SyntaxError|QueryFailed|ENOENT|\bSELECT\b|\bINSERT\b|duplicate key/;

/** @returns what a text tells of the inside of the process, if anything */
export function leakIn(text: string, places: readonly string[]): string | undefined {
  return INSIDE.exec(text)?.[0] ?? places.find((place) => text.includes(place));
}
