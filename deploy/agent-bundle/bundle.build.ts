import { existsSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sumsText, writeArchive, writeContents } from './archive.writer.ts';
import { BundleError } from './bundle.error.ts';
import { describePackages } from './bundled.packages.ts';
import { readElf } from './elf.reader.ts';
import { launcherText } from './launcher.text.ts';
import { fetchNode, NODE_VERSION, type NodeRelease, type Target } from './node.release.ts';
import { bundlePrograms } from './program.bundle.ts';
import { allowedSigner, keyFingerprint, publicKeyPem, signForSsh, signRaw, type SigningKey } from './release.signature.ts';
import { softwareBill } from './software.bill.ts';
import { licencesText } from './third-party.licences.ts';

/** Promised to plants whose way in is a memory stick or a slow link. */
const MOST_BYTES = 150 * 2 ** 20;
const SUMS = 'SHA256SUMS';
const PROGRAMS = { 'bin/coferment-agent': 'lib/agent/main.js', 'bin/coferment-audit': 'lib/audit/main.js' } as const;
const EXECUTABLE: ReadonlySet<string> = new Set(['bin/node', 'install.sh', ...Object.keys(PROGRAMS)]);
const TEXTS = ['LICENSE', 'SECURITY.md', 'CHANGELOG.md'];

export interface BundleInput {
  readonly repository: string;
  readonly out: string;
  readonly targets: readonly Target[];
  readonly version: string;
  readonly key: SigningKey;
}

export interface BuiltArchive {
  readonly file: string;
  readonly bytes: number;
  readonly files: number;
  readonly oldestGlibc: string;
}

export interface BuiltRelease {
  readonly archives: readonly BuiltArchive[];
  readonly signatures: readonly string[];
  readonly publicKey: string;
  readonly fingerprint: string;
}

/**
 * Makes the archives of a release, install.sh beside them, the sums of all, and signatures of the sums.
 * @throws BundleError
 */
export async function buildRelease(input: BundleInput): Promise<BuiltRelease> {
  const { repository, out, targets, version } = input;
  if (!existsSync(join(repository, 'client-agent/dist/cli/main.js')))
    throw new BundleError('not-built', 'The agent is not compiled yet; run "npm run build" first.');
  await mkdir(out, { recursive: true });
  const archives: BuiltArchive[] = [];
  for (const target of targets) archives.push(await buildArchive(input, target));
  await cp(join(repository, 'deploy/agent-bundle/install.sh'), join(out, 'install.sh'));
  const files = [...archives.map(({ file }) => file), 'install.sh'].sort();
  const sums = Buffer.from(await sumsText(out, files));
  await removeOldSignatures(out);
  await writeFile(join(out, SUMS), sums);
  return { archives, ...(await writeSignatures(out, sums, input.key, version)) };
}

async function buildArchive({ repository, out, version }: BundleInput, target: Target): Promise<BuiltArchive> {
  const name = `coferment-agent-${version}-${target}`;
  const parent = join(out, `.stage-${process.pid}`);
  const stage = join(parent, name);
  await rm(parent, { recursive: true, force: true });
  await mkdir(join(stage, 'bin'), { recursive: true });
  try {
    const node = await fetchNode(target, join(repository, 'node_modules/.cache/coferment-bundle'));
    const oldestGlibc = glibcOf(await readFile(node.binary), target);
    await cp(node.binary, join(stage, 'bin/node'));
    for (const [file, main] of Object.entries(PROGRAMS)) await writeFile(join(stage, file), launcherText(main));
    const folders = await bundlePrograms(repository, stage);
    await writePapers(repository, stage, { version, target, oldestGlibc, node, folders });
    await writeContents(stage);
    const file = `${name}.tar.gz`;
    const files = await writeArchive(parent, name, join(out, file), EXECUTABLE);
    const { size: bytes } = await stat(join(out, file));
    if (bytes > MOST_BYTES) throw new BundleError('too-large', `${file} has ${bytes} bytes; ${MOST_BYTES} are promised.`);
    return { file, bytes, files, oldestGlibc };
  } finally {
    await rm(parent, { recursive: true, force: true });
  }
}

interface Papers {
  readonly version: string;
  readonly target: Target;
  readonly oldestGlibc: string;
  readonly node: NodeRelease;
  readonly folders: readonly string[];
}

/** Everything in an archive that no processor reads. */
async function writePapers(repository: string, stage: string, { version, target, oldestGlibc, node, folders }: Papers): Promise<void> {
  const packages = describePackages(repository, folders);
  const manifest = {
    name: 'coferment-agent',
    version,
    private: true,
    license: 'Apache-2.0',
    type: 'module',
    target,
    node: NODE_VERSION,
    oldestGlibc,
  };
  await writeFile(join(stage, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
  const licence = await readFile(node.licence, 'utf8');
  await writeFile(join(stage, 'THIRD-PARTY-LICENCES.txt'), licencesText(packages, { version: NODE_VERSION, licence }));
  const program = { name: node.packageName, version: NODE_VERSION, integrity: node.integrity };
  await writeFile(join(stage, 'sbom.cdx.json'), softwareBill({ name: 'coferment-agent', version }, packages, program));
  for (const file of TEXTS) await cp(join(repository, file), join(stage, file));
  await cp(join(repository, 'deploy/agent-bundle/install.sh'), join(stage, 'install.sh'));
  await cp(join(repository, 'deploy/systemd'), join(stage, 'systemd'), { recursive: true, filter: (path) => !path.endsWith('.ts') });
  await copyMatching(join(repository, 'docs'), join(stage, 'docs'), /\.md$/);
  for (const example of await readdir(join(repository, 'examples'))) {
    const [from, to] = [join(repository, 'examples', example), join(stage, 'examples', example)];
    if ((await stat(from)).isDirectory()) await copyMatching(from, to, /\.(yaml|md)$/);
    else await cp(from, to);
  }
}

async function copyMatching(from: string, to: string, wanted: RegExp): Promise<void> {
  for (const file of await readdir(from)) if (wanted.test(file)) await cp(join(from, file), join(to, file));
}

/** @throws BundleError 'not-an-elf' where the program is for another processor */
function glibcOf(program: Buffer, target: Target): string {
  const { machine, needs } = readElf(program);
  if (`linux-${machine}` !== target) throw new BundleError('not-an-elf', `The Node for ${target} is a program for ${machine}.`);
  return needs.get('GLIBC') ?? 'none';
}

/** A signature of an earlier build in this folder would be of other sums. */
async function removeOldSignatures(out: string): Promise<void> {
  for (const file of await readdir(out)) {
    if (file.startsWith(`${SUMS}.`) || /\.(pub\.pem|allowed-signers)$/.test(file)) await rm(join(out, file));
  }
}

async function writeSignatures(out: string, sums: Buffer, key: SigningKey, version: string): Promise<Omit<BuiltRelease, 'archives'>> {
  const [suffix, keyName] = key.official ? ['', 'coferment-release'] : ['UNOFFICIAL.', `UNOFFICIAL-${version}`];
  const signatures = [`${SUMS}.${suffix}sig`, `${SUMS}.${suffix}sshsig`] as const;
  await writeFile(join(out, signatures[0]), signRaw(sums, key));
  await writeFile(join(out, signatures[1]), signForSsh(sums, key));
  const publicKey = `${keyName}.pub.pem`;
  await writeFile(join(out, publicKey), publicKeyPem(key));
  await writeFile(join(out, `${keyName}.allowed-signers`), allowedSigner(key, keyName));
  return { signatures, publicKey, fingerprint: keyFingerprint(key) };
}
