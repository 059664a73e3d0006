#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The encryption library does not load before Node 24, so a start under an older Node continues in the one that npm installed. */
const OLDEST = 24;

function pinnedNode() {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', 'node', 'bin', 'node');
    if (existsSync(candidate)) return candidate;
    if (folder === dirname(folder)) return undefined;
  }
}

if (Number(process.versions.node.split('.')[0]) >= OLDEST) {
  await import('../dist/cli/main.js');
} else {
  const node = pinnedNode();
  if (node === undefined) {
    console.error(
      `The demo needs Node ${OLDEST} or newer; this is ${process.version}, and no pinned Node was found. Run "npm install" first.`,
    );
    process.exitCode = 1;
  } else {
    const result = spawnSync(node, ['--no-warnings', fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
    process.exitCode = result.status ?? 1;
  }
}
