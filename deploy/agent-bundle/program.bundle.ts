import { readFileSync } from 'node:fs';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { build, type BuildOptions } from 'esbuild';

/**
 * CommonJS packages inside an ES module: what Node gives every CommonJS file has to be given once to all of them.
 * The names are unusual on purpose; the bundle has variables of its own.
 */
const COMMONJS_IN_A_MODULE = [
  "import { createRequire as bundleRequire } from 'node:module';",
  "import { dirname as bundleDirname } from 'node:path';",
  'const require = bundleRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = bundleDirname(__filename);',
].join('\n');

/** For a program that is an ES module. */
export const MODULE: BuildOptions = { format: 'esm', banner: { js: COMMONJS_IN_A_MODULE } };

/** Packages that find their own files beside themselves at run time: worker threads and WebAssembly. They stay as they are. */
const WHOLE_PACKAGES = ['piscina', 'node-seal'];
/** Types, source maps, and the build of SEAL that lets a transparent ciphertext pass. */
const NOT_RUN = /\.d\.ts$|\.map$|_allows\./;

/** Programs, each one file. Their depth below the root is that of `dist/cli/main.js` in the repository: `../../package.json` is the manifest of both. */
const PROGRAMS: readonly { entry: string; file: string }[] = [
  { entry: 'client-agent/dist/cli/main.js', file: 'lib/agent/main.js' },
  { entry: 'ledger/dist/cli/main.js', file: 'lib/audit/main.js' },
];

/** Loaded by name while the program runs; each is a package of one file below lib/node_modules, so that Node finds it as it does in the repository. */
const NAMED_AT_RUN_TIME: readonly { name: string; entry: string; format: 'esm' | 'cjs'; manifest: object }[] = [
  {
    name: '@coferment/crypto',
    entry: 'crypto/dist/parallel/block.worker.js',
    format: 'esm',
    manifest: { type: 'module', exports: { './worker': './index.js' } },
  },
  {
    name: '@coferment/ledger',
    entry: 'ledger/dist/verify/bundle.worker.js',
    format: 'esm',
    manifest: { type: 'module', exports: { './worker': './index.js' } },
  },
  { name: '@lhncbc/ucum-lhc', entry: '@lhncbc/ucum-lhc', format: 'cjs', manifest: { type: 'commonjs', main: './index.js' } },
];

const WASM_BACKEND = '@tensorflow/tfjs-backend-wasm';
const WASM_FILES = ['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm-threaded-simd.wasm'];
const WASM_ANCHOR = '// The program has this package built in and only asks where it is, to find the WebAssembly files beside this one.\n';

/**
 * Bundles the agent and the auditor into a folder.
 * @returns folders of all packages that went in, relative to the repository ("node_modules/zod", "crypto").
 */
export async function bundlePrograms(repository: string, stage: string): Promise<string[]> {
  const inputs = new Set<string>();
  const bundle = async (options: BuildOptions & { outfile: string }) => {
    const { metafile } = await build({ ...common(repository), ...options });
    for (const input of Object.keys(metafile?.inputs ?? {})) inputs.add(packageFolder(input));
  };
  for (const { entry, file } of PROGRAMS) await bundle({ ...MODULE, entryPoints: [entry], outfile: join(stage, file) });
  for (const { name, entry, format, manifest } of NAMED_AT_RUN_TIME) {
    const folder = join(stage, 'lib/node_modules', name);
    const shape: BuildOptions = format === 'esm' ? MODULE : { format };
    await bundle({ ...shape, entryPoints: [entry], outfile: join(folder, 'index.js') });
    await writeManifest(folder, { name, version: versionOf(repository, name), ...manifest });
  }
  for (const name of WHOLE_PACKAGES) {
    await keepWhole(repository, stage, name);
    inputs.add(`node_modules/${name}`);
  }
  await keepWasmFiles(repository, stage);
  return [...inputs].sort();
}

/** For any program of the bundle. */
export function common(repository: string): BuildOptions {
  return {
    absWorkingDir: repository,
    bundle: true,
    platform: 'node',
    target: 'node24',
    external: [...WHOLE_PACKAGES],
    // Readable on site, and class names stay what errors and logs say.
    minify: false,
    keepNames: true,
    metafile: true,
    logLevel: 'error',
  };
}

async function keepWhole(repository: string, stage: string, name: string): Promise<void> {
  const [from, to] = [join(repository, 'node_modules', name), join(stage, 'lib/node_modules', name)];
  await mkdir(to, { recursive: true });
  await cp(join(from, 'package.json'), join(to, 'package.json'));
  await cp(join(from, 'dist'), join(to, 'dist'), { recursive: true, filter: (path) => !NOT_RUN.test(path) });
}

async function keepWasmFiles(repository: string, stage: string): Promise<void> {
  const [from, to] = [join(repository, 'node_modules', WASM_BACKEND), join(stage, 'lib/node_modules', WASM_BACKEND)];
  for (const file of WASM_FILES) await cp(join(from, 'dist', file), join(to, file));
  await writeFile(join(to, 'index.js'), WASM_ANCHOR);
  await writeManifest(to, { name: WASM_BACKEND, version: versionOf(repository, WASM_BACKEND), type: 'commonjs', main: './index.js' });
}

async function writeManifest(folder: string, manifest: object): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`);
}

function versionOf(repository: string, name: string): string {
  return (JSON.parse(readFileSync(join(repository, 'node_modules', name, 'package.json'), 'utf8')) as { version: string }).version;
}

/** "node_modules/a/node_modules/@b/c/dist/x.js" → "node_modules/a/node_modules/@b/c"; of our own packages the first folder. */
export function packageFolder(input: string): string {
  const at = input.lastIndexOf('node_modules/');
  if (at < 0) return input.includes('/') ? input.slice(0, input.indexOf('/')) : dirname(input);
  const [scope = '', name = ''] = input.slice(at + 'node_modules/'.length).split('/');
  return input.slice(0, at) + ['node_modules', scope, ...(scope.startsWith('@') ? [name] : [])].join('/');
}
