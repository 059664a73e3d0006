import { parentPort, workerData } from 'node:worker_threads';
import { readFolder } from '../export/index.js';
import type { ReadFile } from '../tiles/index.js';
import { checkBundle } from './bundle.check.js';
import type { FromThread, ToThread } from './bundle.pool.js';

/** A thread of the check: takes the places of bundles and tells what it found. It reads a folder itself, and asks for files where there is none. */
const { folder } = workerData as { folder: string | undefined };
const port = parentPort!;
const asked = new Map<string, ((bytes: Uint8Array | undefined) => void)[]>();
const tell = (message: FromThread) => port.postMessage(message);

const ask: ReadFile = (path) =>
  new Promise((resolve) => {
    const waiting = asked.get(path);
    if (waiting) waiting.push(resolve);
    else {
      asked.set(path, [resolve]);
      tell({ is: 'ask', path });
    }
  });
const read = folder === undefined ? ask : readFolder(folder);

port.on('message', (message: ToThread) => {
  switch (message.is) {
    case 'read':
      for (const resolve of asked.get(message.path) ?? []) resolve(message.bytes);
      asked.delete(message.path);
      return;
    case 'bundle':
      void check(message);
  }
});

async function check({ id, tile }: Extract<ToThread, { is: 'bundle' }>): Promise<void> {
  try {
    const { leaves, root, logged, ...rest } = await checkBundle(read, tile);
    tell({ is: 'checked', id, text: JSON.stringify(rest), leaves, ...(root ? { root } : {}), ...(logged ? { logged } : {}) });
  } catch (error) {
    tell({ is: 'failed', id, error: error as Error });
  }
}
