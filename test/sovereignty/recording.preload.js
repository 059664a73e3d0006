/**
 * Preloaded into the coordinator's process by tests only: writes down every message as it came from the wire, with the call's metadata and its caller,
 * before any code of the coordinator has seen it. The product itself has no such hook.
 */
import { appendFileSync } from 'node:fs';
import grpc from '@grpc/grpc-js';

const file = process.env.COFERMENT_TEST_RECORDING;
const rawBytes = new WeakMap();
const addService = Reflect.get(grpc.Server.prototype, 'addService');

function write(path, call, kind, message) {
  const metadata = call.metadata.getMap();
  const caller = String(metadata['coferment-caller'] ?? 'stranger');
  delete metadata['coferment-caller'];
  const bytes = message === undefined ? undefined : Buffer.from(rawBytes.get(message) ?? []).toString('base64');
  appendFileSync(file, `${JSON.stringify({ path, caller, kind, metadata, bytes })}\n`);
}

if (file !== undefined) {
  grpc.Server.prototype.addService = function addRecordedService(definition, implementation) {
    const recordedDefinition = {};
    const recorded = {};
    for (const [name, method] of Object.entries(definition)) {
      recordedDefinition[name] = {
        ...method,
        requestDeserialize: (bytes) => {
          const message = method.requestDeserialize(bytes);
          // The buffer may be a view of one that is used again.
          rawBytes.set(message, Buffer.from(bytes));
          return message;
        },
      };
      const handler = implementation[name]?.bind(implementation);
      if (handler === undefined) continue;
      recorded[name] = (call, ...rest) => {
        if (method.requestStream) {
          write(method.path, call, 'stream');
          const push = call.push.bind(call);
          call.push = (message, ...more) => {
            if (message !== null) write(method.path, call, 'message', message);
            return push(message, ...more);
          };
        } else {
          write(method.path, call, 'message', call.request);
        }
        return handler(call, ...rest);
      };
    }
    return addService.call(this, recordedDefinition, recorded);
  };
}
