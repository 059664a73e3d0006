import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createConnection, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Why there is no proxy to test with; empty when there is. */
export function proxyMissing(): string {
  try {
    execFileSync('tinyproxy', ['-v'], { stdio: 'ignore' });
    return '';
  } catch {
    return 'tinyproxy is not installed (Debian: tinyproxy)';
  }
}

export interface ProxySetting {
  folder: string;
  /** Address of this machine on which it listens. */
  host: string;
  user: string;
  password: string;
  /** The only port that it connects to. */
  allowed: number;
}

/** The tinyproxy of Debian, with a login. */
export class ProxyProgram {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly logFile: string,
  ) {}

  static async start({ folder, host, user, password, allowed }: ProxySetting): Promise<ProxyProgram> {
    const port = await freePort(host);
    const logFile = join(folder, 'tinyproxy.log');
    const file = join(folder, 'tinyproxy.conf');
    const lines = [
      `Port ${port}`,
      `Listen ${host}`,
      `LogFile "${logFile}"`,
      'LogLevel Connect',
      'Timeout 600',
      'MaxClients 50',
      `BasicAuth ${user} ${password}`,
      `ConnectPort ${allowed}`,
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    // It ends with this process however that ends.
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'tinyproxy', '-d', '-c', file], { stdio: 'ignore' });
    const proxy = new ProxyProgram(port, child, logFile);
    while (!(await accepts(host, port))) {
      if (child.exitCode !== null) throw new Error(`tinyproxy ended with exit code ${child.exitCode}: ${proxy.log}`);
      await sleep(50);
    }
    return proxy;
  }

  get log(): string {
    try {
      return readFileSync(this.logFile, 'utf8');
    } catch {
      return '';
    }
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const closed = new Promise((resolve) => this.child.once('close', resolve));
    this.child.kill('SIGKILL');
    await closed;
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    const end = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => end(true)).once('error', () => end(false));
  });
}

/** Nothing else on this machine listens on the address of a cable that was just made. */
async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((open) => server.listen(0, host, open));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}
