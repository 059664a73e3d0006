import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** What each package may import, as the README draws it. Everything else must be refused by the linter. */
const allowed: Record<string, readonly string[]> = {
  proto: [],
  crypto: [],
  consortium: ['crypto'],
  ledger: ['crypto', 'consortium'],
  learning: ['crypto', 'consortium'],
  coordinator: ['proto', 'crypto', 'consortium', 'ledger', 'learning'],
  'client-agent': ['proto', 'crypto', 'consortium', 'ledger', 'learning'],
  demo: ['crypto', 'consortium', 'ledger', 'learning', 'client-agent', 'coordinator'],
};

const technologies: Record<string, readonly string[]> = {
  'node-seal': ['crypto'],
  'libsodium-wrappers': ['crypto'],
  '@tensorflow/tfjs': ['learning'],
  typeorm: ['coordinator'],
  '@nestjs/core': ['coordinator'],
  '@grpc/grpc-js': ['proto', 'coordinator', 'client-agent'],
};

const root = join(import.meta.dirname, '../..');
const packages = Object.keys(allowed);

interface Planted {
  file: string;
  importing: string;
  refused: boolean;
}

const planted: Planted[] = packages.flatMap((owner) => [
  ...packages
    .filter((other) => other !== owner)
    .map((other) => ({
      file: `${owner}/src/plant-${other}.ts`,
      importing: `@coferment/${other}`,
      refused: !allowed[owner]!.includes(other),
    })),
  ...Object.entries(technologies).map(([library, homes]) => ({
    file: `${owner}/src/plant-${library.replaceAll('/', '-').replaceAll('@', '')}.ts`,
    importing: library,
    refused: !homes.includes(owner),
  })),
]);
for (const pure of ['crypto', 'consortium']) {
  planted.push({ file: `${pure}/src/plant-disk.ts`, importing: 'node:fs', refused: true });
  planted.push({ file: `${pure}/src/plant-network.ts`, importing: 'node:net', refused: true });
}
planted.push({ file: 'ledger/src/plant-path.ts', importing: '../../coordinator/src/index.js', refused: true });

describe('the dependency direction', () => {
  let folder: string;
  let refused: Set<string>;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'coferment-lint-'));
    copyFileSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
    for (const { file, importing } of planted) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), `import * as planted from '${importing}';\nexport const use = planted;\n`);
    }
    refused = new Set(lint(folder));
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(planted)('$file importing $importing: refused = $refused', (plant) => {
    expect(refused.has(plant.file)).toBe(plant.refused);
  });

  it('matches what each package declares that it depends on', () => {
    for (const owner of packages) {
      const manifest = JSON.parse(readFileSync(join(root, owner, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> };
      const declared = Object.keys(manifest.dependencies ?? {})
        .filter((name) => name.startsWith('@coferment/'))
        .map((name) => name.slice('@coferment/'.length));
      expect(allowed[owner], owner).toEqual(expect.arrayContaining(declared));
    }
  });
});

/** Files in which `no-restricted-imports` fired. */
function lint(folder: string): string[] {
  const command = join(root, 'node_modules/.bin/oxlint');
  let output: string;
  try {
    output = execFileSync(command, ['--format', 'json', '.'], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 1 << 26,
    });
  } catch (error) {
    output = (error as { stdout: string }).stdout;
  }
  const report = JSON.parse(output) as { diagnostics: { code?: string; filename: string }[] };
  return report.diagnostics.filter((entry) => entry.code?.includes('no-restricted-imports')).map((entry) => entry.filename);
}
