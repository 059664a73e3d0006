import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { programVersion as agentVersion } from '../../client-agent/src/cli/program.version.ts';
import { programVersion as coordinatorVersion } from '../../coordinator/src/cli/program.version.ts';
import { programVersion as auditorVersion } from '../../ledger/src/cli/program.version.ts';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.ts';
import { parseOptions } from './bundle.options.ts';
import { checkIntegrity, NODE_VERSION } from './node.release.ts';

const root = join(import.meta.dirname, '../..');
const machine = { platform: 'linux', arch: 'x64' };
const manifest = (folder: string) =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
    version: string;
    workspaces?: string[];
    devDependencies?: Record<string, string>;
  };

describe('what is to be bundled', () => {
  it('is for this machine unless said otherwise', () => {
    expect(parseOptions([], machine)).toEqual({ targets: ['linux-x64'], out: 'deploy/out', help: false });
  });

  it('can be both targets, each once', () => {
    const words = ['--target', 'linux-arm64', '--target', 'linux-x64', '--target', 'linux-x64', '--out', 'there', '--signing-key', 'k.pem'];
    expect(parseOptions(words, machine)).toEqual({ targets: ['linux-x64', 'linux-arm64'], out: 'there', signingKey: 'k.pem', help: false });
  });

  it.each([
    [['--target', 'win-x64'], 'win-x64'],
    [['--sign'], '--sign'],
    [['linux-x64'], 'linux-x64'],
    [['--out'], '--out'],
  ])('is refused as %j', (words, named) => {
    expect(() => parseOptions(words, machine)).toThrow(expect.objectContaining({ code: 'wrong-option' }) as Error);
    expect(() => parseOptions(words, machine)).toThrow(named);
  });

  it('is refused on a machine that has no bundle, and says so', () => {
    expect(() => parseOptions([], { platform: 'darwin', arch: 'arm64' })).toThrow(/no bundle for "darwin-arm64".*docs\/platforms\.md/);
  });
});

describe('versions', () => {
  it('of Node are the same in the bundle and in the repository', () => {
    expect(manifest('.').devDependencies?.['node']).toBe(NODE_VERSION);
  });

  it.each([
    ['coferment-agent', agentVersion],
    ['coferment', coordinatorVersion],
    ['coferment-audit', auditorVersion],
  ])('are what %s --version says', (_, version) => {
    expect(version()).toBe(manifest('.').version);
  });

  it('of all packages are the one that the bundle is named by', () => {
    const { version, workspaces = [] } = manifest('.');
    expect(workspaces.map((each) => manifest(each).version)).toEqual(workspaces.map(() => version));
  });
});

describe('a package from the registry', () => {
  it('is refused when it is not the pinned one', async () => {
    const file = join(temporaryFolder('coferment-node'), 'node.tgz');
    writeFileSync(file, 'something else');
    await expect(checkIntegrity(file, 'sha512-AAAA')).rejects.toMatchObject({ code: 'node-integrity' });
  });
});
