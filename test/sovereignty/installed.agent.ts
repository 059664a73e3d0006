import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { buildRelease, type BuiltRelease } from '../../deploy/agent-bundle/bundle.build.js';
import type { Target } from '../../deploy/agent-bundle/node.release.js';
import { throwAwayKey } from '../../deploy/agent-bundle/release.signature.js';
import type { AgentSetting } from '../../demo/src/members/agent.member.js';
import { REPOSITORY } from '../e2e/command.runner.js';

export const OWN_TARGET = `linux-${process.arch}` as Target;
export const VERSION = (JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string }).version;

export interface Plant {
  readonly release: BuiltRelease;
  /** The folder that reached the plant. */
  readonly delivered: string;
  readonly prefix: string;
}

/** Builds a release and carries it away from where it was built. */
export async function deliver(folder: string, version = VERSION, targets: readonly Target[] = [OWN_TARGET]): Promise<Plant> {
  const [made, delivered] = [join(folder, `made-${version}`), join(folder, `stick-${version}`)];
  const release = await buildRelease({ repository: REPOSITORY, out: made, targets, version, key: throwAwayKey() });
  renameSync(made, delivered);
  return { release, delivered, prefix: join(folder, 'opt', 'coferment-agent') };
}

export interface Answer {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** A network namespace without any interface that works, where this user may make one. */
const OFFLINE = spawnSync('unshare', ['-n', 'true']).status === 0 ? ['unshare', '-n'] : [];

/** A plant's machine: the system's commands, no Node, no npm, no variables of this process and no network. */
export function onSite(command: readonly string[]): Answer {
  const words = ['-i', 'PATH=/usr/bin:/bin', ...OFFLINE, ...withoutNode(), ...command];
  const { status, stdout, stderr } = spawnSync('env', words, { encoding: 'utf8', cwd: '/' });
  return { code: status, out: stdout, err: stderr };
}

/** Where the system itself has a Node, it is hidden: a PATH of links to everything else. */
function withoutNode(): string[] {
  if (!['/usr/bin/node', '/usr/bin/npm', '/bin/node'].some((path) => existsSync(path))) return [];
  const folder = join(REPOSITORY, 'node_modules/.cache/coferment-path');
  if (!existsSync(join(folder, 'sh'))) {
    mkdirSync(folder, { recursive: true });
    const script = 'for f in /bin/* /usr/bin/*; do case ${f##*/} in node*|npm*|npx*|corepack*) ;; *) ln -sf "$f" "$1/" ;; esac; done';
    execFileSync('sh', ['-c', script, 'sh', folder]);
  }
  return ['env', `PATH=${folder}`];
}

export function install({ delivered, prefix, release }: Plant, ...options: readonly string[]): Answer {
  return onSite(['sh', join(delivered, 'install.sh'), '--prefix', prefix, '--public-key', join(delivered, release.publicKey), ...options]);
}

/** For a TestConsortium: this site runs what was installed. */
export function installedProgram({ prefix }: Plant): NonNullable<AgentSetting['program']> {
  return { node: [join(prefix, 'current/bin/node')], script: join(prefix, 'current/lib/agent/main.js') };
}
