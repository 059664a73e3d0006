import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

export const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** One message that the coordinator received, or the opening of a stream (`bytes` undefined). */
export interface RecordedMessage {
  /** /coferment.v1.Service/Method */
  readonly path: string;
  /** site/<id>, operator or stranger, as the coordinator found by the client certificate. */
  readonly caller: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly bytes: Buffer | undefined;
}

export function readRecording(file: string): RecordedMessage[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => {
    const { path, caller, metadata, bytes } = JSON.parse(line) as {
      path: string;
      caller: string;
      metadata: Record<string, string>;
      bytes?: string;
    };
    return { path, caller, metadata, bytes: bytes === undefined ? undefined : Buffer.from(bytes, 'base64') };
  });
}

const PROTO = join(REPOSITORY, 'proto/proto');

/** The wire as its .proto files describe it, read by another library than the product uses. */
export function loadDescriptors(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (origin, target) => (target.startsWith('coferment/') ? join(PROTO, target) : join(dirname(origin), target));
  const files = ['enrolment', 'ledger', 'object', 'operator', 'polling', 'statement'].map((name) => `coferment/v1/${name}.proto`);
  root.loadSync(files, { keepCase: true });
  root.resolveAll();
  return root;
}

export interface DecodedMessage {
  /** Name of the request message, without the package. */
  readonly type: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Decodes by descriptor and refuses bytes that the descriptor does not account for: an unknown field could carry anything. */
export function decode(root: protobuf.Root, { path, bytes }: RecordedMessage): DecodedMessage {
  const [service, method] = path.slice(1).split('/') as [string, string];
  const { resolvedRequestType: type } = root.lookupService(service).methods[method]!;
  if (!type || bytes === undefined) throw new Error(`${path} has no message`);
  const message = type.decode(bytes);
  const again = Buffer.from(type.encode(message).finish());
  if (!again.equals(bytes)) throw new Error(`${path}: ${bytes.length} bytes on the wire, ${again.length} accounted for by the descriptor`);
  return { type: type.name, fields: type.toObject(message, { longs: Number, bytes: Buffer, enums: String, oneofs: false }) };
}
