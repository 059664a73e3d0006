import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';

/** Versity's S3 gateway over a folder: an S3 server that builds from the Go module proxy. https://github.com/versity/versitygw (Apache-2.0) */
const MODULE = 'github.com/versity/versitygw/cmd/versitygw';
const VERSION = 'v1.8.0';
const BUILD_WITHIN_MS = 280_000;

export const ACCESS = { id: 'coferment', secret: 'not-a-secret-1' };
export const REGION = 'us-east-1';
export const BUCKET = 'fermentation';

/** Where the server's program is, built now if it was not before; or why it cannot be had. `VERSITYGW` names another one. */
export function serverProgram(): { program: string; absent: string } {
  const given = process.env['VERSITYGW'];
  if (given) return { program: given, absent: existsSync(given) ? '' : `VERSITYGW names ${given}, which is not there` };
  const folder = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'coferment', `versitygw-${VERSION}`);
  const program = join(folder, 'versitygw');
  if (existsSync(program)) return { program, absent: '' };
  // A minute of building is nothing that tests begin unasked.
  if (process.env['REQUIRE_S3'] !== '1') return { program, absent: 'REQUIRE_S3=1 builds one with Go, VERSITYGW names one' };
  mkdirSync(folder, { recursive: true });
  const { status, stderr, error } = spawnSync('go', ['install', `${MODULE}@${VERSION}`], {
    env: { ...process.env, GOBIN: folder, GOFLAGS: '' },
    encoding: 'utf8',
    timeout: BUILD_WITHIN_MS,
  });
  if (status === 0) return { program, absent: '' };
  if (error !== undefined && (error as NodeJS.ErrnoException).code === 'ENOENT') return { program, absent: 'Go is not installed' };
  return { program, absent: `${MODULE}@${VERSION} could not be fetched and built: ${stderr.trim().split('\n').at(-1) ?? ''}` };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

/** A real S3 server in a process of its own, over a folder that tests may damage. */
export class S3Server {
  readonly folder = mkdtempSync(join(tmpdir(), 'coferment-s3-'));
  readonly #data = join(this.folder, 'data');
  #process: ChildProcess | undefined;
  #port = 0;

  constructor(private readonly program: string) {
    for (const folder of [this.#data, join(this.folder, 'meta')]) mkdirSync(folder);
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Where the server keeps an object. */
  fileOf(bucket: string, key: string): string {
    return join(this.#data, bucket, key);
  }

  async start(): Promise<void> {
    this.#port ||= await freePort();
    const listen = `127.0.0.1:${this.#port}`;
    const args = ['--quiet', '--access', ACCESS.id, '--secret', ACCESS.secret, '--region', REGION, '--port', listen];
    this.#process = spawn(this.program, [...args, 'posix', '--sidecar', join(this.folder, 'meta'), this.#data], { stdio: 'ignore' });
    for (const endMs = performance.now() + 20_000; ; await sleep(50)) {
      const answer = await fetch(this.endpoint).catch(() => undefined);
      if (answer !== undefined) return;
      if (performance.now() > endMs) throw new Error(`the S3 server does not answer at ${this.endpoint}`);
    }
  }

  /** Returns once the server has read so many bytes more: then it is in the middle of something. Elsewhere than on Linux, a moment later. */
  async hasRead(bytes: number): Promise<void> {
    const file = `/proc/${this.#process?.pid}/io`;
    if (!existsSync(file)) return sleep(300);
    const read = () => Number(/^rchar: (\d+)/.exec(readFileSync(file, 'utf8'))?.[1]);
    for (const goal = read() + bytes, endMs = performance.now() + 20_000; read() < goal; await sleep(1))
      if (performance.now() > endMs) throw new Error(`the S3 server did not read ${bytes} bytes in 20 s`);
  }

  /** As by a power cut. */
  async kill(): Promise<void> {
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined || running.exitCode !== null) return;
    const ended = once(running, 'exit');
    running.kill('SIGKILL');
    await ended;
  }

  async makeBucket(name = BUCKET): Promise<void> {
    const credentials = { accessKeyId: ACCESS.id, secretAccessKey: ACCESS.secret };
    const client = new S3Client({ endpoint: this.endpoint, region: REGION, forcePathStyle: true, credentials });
    await client.send(new CreateBucketCommand({ Bucket: name }));
    client.destroy();
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
