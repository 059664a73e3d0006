import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** How a command is started so that it runs in the namespace. */
export type Launcher = readonly string[];

/** Why namespaces cannot be made here; empty when they can. */
export function namespacesMissing(): string {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'network namespaces need root on Linux';
  for (const [program, version, debian] of [
    ['ip', '-V', 'iproute2'],
    ['nft', '-v', 'nftables'],
  ] as const) {
    try {
      execFileSync(program, [version], { stdio: 'ignore' });
    } catch {
      return `${program} is not installed (Debian: ${debian})`;
    }
  }
  removeAbandoned();
  try {
    const probe = new NetworkNamespace(255);
    probe.remove();
    return '';
  } catch (error) {
    return `a network namespace cannot be made here: ${(error as Error).message.split('\n')[0]}`;
  }
}

/**
 * A network of its own for one site: a cable to this machine and nothing else, no way to any other network, and a firewall that lets connections out to one
 * port and none in. As a plant has it.
 */
export class NetworkNamespace {
  readonly #name: string;
  /** This machine, as the site sees it. */
  readonly outside: string;
  readonly inside: string;
  readonly #atExit = (): void => this.#remove();

  constructor(number: number) {
    // Names of interfaces have at most 15 characters.
    const unique = `${process.pid}x${number}`;
    this.#name = `cofer${unique}`;
    // 198.18.0.0/15 is for tests between networks (RFC 2544): nobody's own.
    const net = `198.${18 + (process.pid % 2)}.${process.pid % 251}.${(number % 64) * 4}`;
    const base = net.slice(0, net.lastIndexOf('.'));
    const first = Number(net.slice(net.lastIndexOf('.') + 1));
    this.outside = `${base}.${first + 1}`;
    this.inside = `${base}.${first + 2}`;
    process.once('exit', this.#atExit);
    try {
      const cable = `co${unique}`;
      ip('netns', 'add', this.#name);
      ip('link', 'add', cable, 'type', 'veth', 'peer', 'name', 'site0', 'netns', this.#name);
      ip('addr', 'add', `${this.outside}/30`, 'dev', cable);
      ip('link', 'set', cable, 'up');
      ip('-n', this.#name, 'addr', 'add', `${this.inside}/30`, 'dev', 'site0');
      ip('-n', this.#name, 'link', 'set', 'site0', 'up');
      ip('-n', this.#name, 'link', 'set', 'lo', 'up');
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  get launcher(): Launcher {
    return ['ip', 'netns', 'exec', this.#name];
  }

  /** From now on: out to this one port, answers to that back in, and nothing else. */
  allowOnly(port: number): void {
    const rules = `table inet site {
  chain in { type filter hook input priority 0; policy drop; ct state established accept; iif lo accept; }
  chain out { type filter hook output priority 0; policy drop; ct state established accept; oif lo accept; ip daddr ${this.outside} tcp dport ${port} accept; }
}`;
    execFileSync('ip', ['netns', 'exec', this.#name, 'nft', '-f', '-'], { input: rules, stdio: ['pipe', 'ignore', 'pipe'] });
  }

  remove(): void {
    process.off('exit', this.#atExit);
    this.#remove();
  }

  #remove(): void {
    try {
      // The cable goes with it.
      execFileSync('ip', ['netns', 'del', this.#name], { stdio: 'ignore' });
    } catch {
      // It was never made, or is gone.
    }
  }
}

/** Namespaces outlive a process that was killed; their names say whose they were. */
function removeAbandoned(): void {
  const names = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).matchAll(/^cofer([0-9]+)x[0-9]+/gm);
  for (const [name, pid] of names) if (!existsSync(`/proc/${pid}`)) execFileSync('ip', ['netns', 'del', name], { stdio: 'ignore' });
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}
