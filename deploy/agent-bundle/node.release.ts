import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { extract } from 'tar';
import { BundleError } from './bundle.error.ts';

export const TARGETS = ['linux-x64', 'linux-arm64'] as const;
export type Target = (typeof TARGETS)[number];

/** The Node of the repository (the development dependency `node`); docs/decisions/003 says why it is pinned. */
export const NODE_VERSION = '24.21.0';

/**
 * The npm packages that carry Node's own binaries, by what they contain. The registry is not trusted with it: a bundle is signed, so what goes
 * into it was decided by whoever changed this table.
 */
const INTEGRITY: Readonly<Record<Target, string>> = {
  'linux-x64': 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  'linux-arm64': 'sha512-FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
};

export interface NodeRelease {
  /** The program. */
  readonly binary: string;
  /** Licence of Node and of everything built into it. */
  readonly licence: string;
  readonly packageName: string;
  readonly integrity: string;
}

/**
 * The Node binary of a target, for whichever machine this one is. The tarball stays in the cache folder, so that a second build needs no registry.
 * @throws BundleError 'node-download', 'node-integrity'
 */
export async function fetchNode(target: Target, cache: string): Promise<NodeRelease> {
  const packageName = `node-${target}`;
  const tarball = join(cache, `${packageName}-${NODE_VERSION}.tgz`);
  await mkdir(cache, { recursive: true });
  if (!existsSync(tarball)) await download(`${packageName}@${NODE_VERSION}`, cache);
  await checkIntegrity(tarball, INTEGRITY[target]);
  const folder = join(cache, `${packageName}-${NODE_VERSION}`);
  await mkdir(folder, { recursive: true });
  await extract({ file: tarball, cwd: folder, strip: 1 }, ['package/bin/node', 'package/LICENSE']);
  return { binary: join(folder, 'bin/node'), licence: join(folder, 'LICENSE'), packageName, integrity: INTEGRITY[target] };
}

async function download(name: string, folder: string): Promise<void> {
  try {
    await promisify(execFile)('npm', ['pack', '--silent', '--prefer-offline', name], { cwd: folder });
  } catch (cause) {
    throw new BundleError('node-download', `${name} could not be fetched with "npm pack": ${(cause as Error).message}`);
  }
}

/** @throws BundleError 'node-integrity' */
export async function checkIntegrity(file: string, expected: string): Promise<void> {
  const found = `sha512-${createHash('sha512')
    .update(await readFile(file))
    .digest('base64')}`;
  if (found !== expected) {
    throw new BundleError(
      'node-integrity',
      `${file} is not the pinned package: it has ${found}, expected ${expected}. Delete it and build again.`,
    );
  }
}
