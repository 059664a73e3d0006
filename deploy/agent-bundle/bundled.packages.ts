import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { BundleError } from './bundle.error.ts';

/** A package of other people that went into the bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX expression, as its manifest gives it. */
  readonly licence: string;
  /** Hash of the package in the lock file, "sha512-<base64>". */
  readonly integrity: string;
  /** Its licence and notice files; some packages only name their licence. */
  readonly texts: readonly { readonly file: string; readonly text: string }[];
}

const manifest = z.object({ name: z.string(), version: z.string(), license: z.string() });
const lock = z.object({ packages: z.record(z.string(), z.object({ integrity: z.string().optional() })) });
const LICENCE_FILE = /^(licen[cs]e|notice|copying)/i;

/**
 * Reads what is known about the packages of these folders ("node_modules/zod"); folders of our own are left out.
 * @throws BundleError 'unlisted-package' for one that the lock file does not pin: it could be anything.
 */
export function describePackages(repository: string, folders: readonly string[]): BundledPackage[] {
  const pinned = lock.parse(JSON.parse(readFileSync(join(repository, 'package-lock.json'), 'utf8'))).packages;
  return folders
    .filter((folder) => folder.startsWith('node_modules/'))
    .map((folder) => {
      const { name, version, license } = manifest.parse(JSON.parse(readFileSync(join(repository, folder, 'package.json'), 'utf8')));
      const integrity = pinned[folder]?.integrity;
      if (integrity === undefined)
        throw new BundleError(
          'unlisted-package',
          `${folder} (${name} ${version}) is not in package-lock.json with a hash; run "npm ci" and build again.`,
        );
      return { name, version, licence: license, integrity, texts: licenceTexts(join(repository, folder)) };
    })
    .sort((a, b) => (`${a.name} ${a.version}` < `${b.name} ${b.version}` ? -1 : 1));
}

function licenceTexts(folder: string): { file: string; text: string }[] {
  return readdirSync(folder)
    .filter((file) => LICENCE_FILE.test(file) && existsSync(join(folder, file)))
    .flatMap((file) =>
      statSync(join(folder, file)).isDirectory() ? readdirSync(join(folder, file)).map((inner) => `${file}/${inner}`) : [file],
    )
    .sort()
    .map((file) => ({ file, text: readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim() }));
}
