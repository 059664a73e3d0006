import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type BuiltRelease, buildRelease } from './bundle.build.ts';
import { BundleError } from './bundle.error.ts';
import { parseOptions, USAGE } from './bundle.options.ts';
import { readSigningKey, type SigningKey, throwAwayKey } from './release.signature.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const MEBIBYTE = 2 ** 20;
const UNOFFICIAL = `
UNOFFICIAL: no --signing-key was given, so a key was made for this build alone and is gone now. The signature shows that these files belong
together; it does not say who made them. Do not send this to a site as a release.
`;

try {
  await run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BundleError)) throw error;
  process.stderr.write(`bundle:agent: ${error.message}\n`);
  process.exitCode = error.code === 'wrong-option' ? 2 : 1;
}

async function run(words: readonly string[]): Promise<void> {
  const options = parseOptions(words, process);
  if (options.help) {
    process.stdout.write(USAGE);
    return;
  }
  const out = resolve(options.out);
  const key = keyOf(options.signingKey);
  const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string };
  process.stdout.write(`Making ${options.targets.join(' and ')} of version ${version}; some seconds each.\n`);
  const release = await buildRelease({ repository: REPOSITORY, out, targets: options.targets, version, key });
  process.stdout.write(describe(release, out));
  if (!key.official) process.stderr.write(UNOFFICIAL);
}

function keyOf(path: string | undefined): SigningKey {
  if (path === undefined) return throwAwayKey();
  let pem: string;
  try {
    pem = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new BundleError('signing-key', `The signing key cannot be read: ${(cause as Error).message}`);
  }
  return readSigningKey(pem, path);
}

function describe({ archives, signatures, publicKey, fingerprint }: BuiltRelease, out: string): string {
  const [raw, ssh] = signatures;
  const lines = [
    ...archives.map(
      ({ file, bytes, files, oldestGlibc }) => `${file}  ${(bytes / MEBIBYTE).toFixed(1)} MiB, ${files} files, needs glibc ${oldestGlibc}`,
    ),
    `In ${out}, with install.sh, SHA256SUMS and its signatures.`,
    `Public key: ${publicKey}, SHA-256 ${fingerprint}. Sites must get it another way than the archive.`,
    'Anyone checks the signature with one of:',
    `  openssl pkeyutl -verify -pubin -inkey ${publicKey} -rawin -in SHA256SUMS -sigfile ${raw}`,
    `  ssh-keygen -Y verify -f ${publicKey.replace('.pub.pem', '.allowed-signers')} -I ${publicKey.replace('.pub.pem', '')} -n file -s ${ssh} < SHA256SUMS`,
  ];
  return `${lines.join('\n')}\n`;
}
