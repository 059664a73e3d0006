import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

const SCRIPT = join(import.meta.dirname, 'isolated-systemd.sh');
/** A pid name space, so that everything in it ends with its first process. The network is this machine's: tests talk over loopback. */
const APART = ['--fork', '--kill-child=KILL', '--pid', '--mount', '--uts', '--ipc', '--cgroup'];
/** The kernel ends it with the process that started it, however that ends. */
const WITH_THE_TEST = ['--pdeathsig', 'KILL'];
const OLDEST_WITH_ENCRYPTED_CREDENTIALS = 250;
const NEEDED = ['/lib/systemd/systemd', '/usr/bin/systemd-run', '/usr/bin/dbus-daemon', '/usr/bin/nsenter'];
const PATIENCE_MS = 60_000;

/** Whether this machine lets us: root that may mount, and a systemd that is new enough. */
export function systemdPossible(): boolean {
  const version = Number(/^systemd (\d+)/.exec(spawnSync('systemctl', ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? 0);
  return (
    process.getuid?.() === 0 &&
    version >= OLDEST_WITH_ENCRYPTED_CREDENTIALS &&
    NEEDED.every((file) => spawnSync('test', ['-e', file]).status === 0) &&
    spawnSync('unshare', ['--mount', '--cgroup', '--pid', '--fork', 'mount', '--make-rprivate', '/']).status === 0
  );
}

export interface IsolatedSystemd {
  /** Runs a shell script in there, as root. */
  readonly run: (script: string) => { readonly code: number | null; readonly out: string };
  readonly stop: () => void;
}

/** @param folder an empty one, whose `files` is laid over the copy of this machine. */
export async function bootSystemd(folder: string): Promise<IsolatedSystemd> {
  const outside = spawn('setpriv', [...WITH_THE_TEST, 'unshare', ...APART, 'sh', SCRIPT, folder], { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  outside.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const stop = () => void outside.kill('SIGKILL');
  process.once('exit', stop);
  const run = (script: string) => {
    const words = ['-s', 'KILL', '120', 'nsenter', '-t', String(childOf(outside)), '-m', '-p', '-u', '-i', '-C', 'sh', '-c', script];
    const { status, stdout, stderr } = spawnSync('timeout', words, {
      encoding: 'utf8',
      cwd: '/',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
    return { code: status, out: stdout + stderr };
  };
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await pause(200)) {
    if (outside.exitCode !== null) break;
    if (childOf(outside) !== undefined && run('systemctl is-active nothing.target').out === 'active\n') return { run, stop };
  }
  stop();
  throw new Error(`systemd did not start in its name spaces: ${complaints}`);
}

/** The first process in the name spaces. */
function childOf({ pid }: ChildProcess): number | undefined {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return children === '' ? undefined : Number(children.split(' ')[0]);
  } catch {
    // It is gone, or not there yet.
    return undefined;
  }
}
