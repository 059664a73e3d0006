import type { ServiceDefinition } from '@grpc/grpc-js';
import { CoordinatorError } from '../errors/index.js';
import { largestMessage } from '../limits/message.sizes.js';

/** A message that was not read, and why. */
export class UnreadMessage {
  constructor(readonly refusal: CoordinatorError) {}
}

/**
 * The same service, whose messages are measured before they are parsed. What cannot be read becomes an {@link UnreadMessage} for the gate to refuse: gRPC's own
 * answer to it would be INTERNAL, which says that the coordinator is at fault.
 */
export function withMeasuredMessages(definition: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => {
      const requestDeserialize = (bytes: Buffer): unknown => readMessage(method.path, bytes, method.requestDeserialize);
      return [name, { ...method, requestDeserialize }];
    }),
  );
}

function readMessage(path: string, bytes: Buffer, parse: (bytes: Buffer) => unknown): unknown {
  const most = largestMessage(path);
  if (bytes.length > most)
    return new UnreadMessage(
      new CoordinatorError('too-large', `A message of ${path} has ${bytes.length} bytes; at most ${most} are read. Nothing was done.`),
    );
  try {
    const message = parse(bytes);
    if (!holdsNul(message)) return message;
    return new UnreadMessage(
      new CoordinatorError(
        'malformed',
        `A text in a message of ${path} has a NUL character, which no name or reason has. Nothing was done.`,
      ),
    );
  } catch (cause) {
    return new UnreadMessage(
      new CoordinatorError('malformed', `A message of ${path} is no such message in its encoding. Nothing was done.`, { cause }),
    );
  }
}

/** PostgreSQL stores no NUL in a text: it would fail in the middle of a transaction, and look like a fault of the coordinator. */
function holdsNul(value: unknown): boolean {
  if (typeof value === 'string') return value.includes('\0');
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false;
  return Object.values(value).some(holdsNul);
}
