#!/usr/bin/env node
// Plain JavaScript that any Node can read: it finds the pinned Node 24 of this repository if it was started with an older one.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const NEEDED = 24;
const here = dirname(fileURLToPath(import.meta.url));

function pinnedNode() {
  for (let folder = here; folder !== dirname(folder); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', 'node', 'bin', 'node');
    if (existsSync(candidate)) return candidate;
  }
  return undefined;
}

const main = join(here, '..', 'dist', 'cli', 'main.js');
if (Number.parseInt(process.versions.node, 10) >= NEEDED) {
  if (existsSync(main)) await import(pathToFileURL(main).href);
  else fail('it is not built yet; run "npm run build" in the repository');
} else {
  const node = pinnedNode();
  if (node === undefined)
    fail(
      `it needs Node ${NEEDED} or newer, this is Node ${process.versions.node}; run "npm install" in the repository or install Node ${NEEDED}`,
    );
  else process.exitCode = spawnSync(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 2;
}

function fail(reason) {
  process.stderr.write(`coferment-audit: ${reason}\n`);
  process.exitCode = 2;
}
