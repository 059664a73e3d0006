#!/usr/bin/env node
// Plain JavaScript that any Node can read: started with an older Node it goes on in the pinned one, which the encryption library needs.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST = 24;
const self = fileURLToPath(import.meta.url);

function pinnedNode() {
  for (let folder = dirname(self); folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', 'node', 'bin', 'node');
    if (existsSync(candidate)) return candidate;
  }
  return undefined;
}

/** Not spawnSync: a service manager stops the process it started, and that has to reach the coordinator. */
function continueIn(node) {
  const child = spawn(node, [self, ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 1 : 128);
  });
}

if (Number.parseInt(process.versions.node, 10) >= OLDEST) {
  await import('../dist/cli/main.js');
} else {
  const node = pinnedNode();
  if (node === undefined) {
    process.stderr.write(
      `coferment needs Node ${OLDEST} or newer; this is ${process.version}. Run "npm install" or install Node ${OLDEST}.\n`,
    );
    process.exitCode = 1;
  } else continueIn(node);
}
