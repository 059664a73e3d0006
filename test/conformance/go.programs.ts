import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const DEBIAN_GOPATH = '/usr/share/gocode';

/** What is needed of Go's own log code, and where it can come from. */
interface GoProgram {
  /** Folder beside this file. */
  source: string;
  /** Debian's package, used where it is installed instead of the pinned module. */
  debian?: { path: string; name: string };
  /** For people, when it cannot be had. */
  module: string;
}

export const goVerifier: GoProgram = {
  source: 'go-verifier',
  debian: { path: 'golang.org/x/mod/sumdb/tlog', name: 'golang-golang-x-mod-dev' },
  module: 'golang.org/x/mod',
};
export const goCosignature: GoProgram = { source: 'go-cosignature', module: 'github.com/transparency-dev/formats' };

/** Builds a program to `target`. Returns why it could not; empty when it could. @throws Error for source that does not compile */
export function buildGo({ source, debian, module }: GoProgram, target: string): string {
  const isPackaged = debian !== undefined && existsSync(join(DEBIAN_GOPATH, 'src', debian.path));
  const mode = isPackaged ? { GO111MODULE: 'off', GOPATH: DEBIAN_GOPATH, GOFLAGS: '' } : { GO111MODULE: 'on', GOFLAGS: '-buildvcs=false' };
  const { status, stderr, error } = spawnSync('go', ['build', '-o', target, '.'], {
    cwd: join(import.meta.dirname, source),
    env: { ...process.env, ...mode },
    encoding: 'utf8',
    timeout: 240_000,
  });
  if (error) return 'Go is not installed';
  if (status === 0) return '';
  if (!/golang\.org\/x\/mod|dial tcp|proxy|lookup|toolchain/.test(stderr)) throw new Error(`go build failed:\n${stderr}`);
  return `${module} is not installed${debian === undefined ? '' : ` (Debian: ${debian.name})`} and could not be fetched`;
}
