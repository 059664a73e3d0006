import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.ts';
import { commands, has, install, makeRelease } from './installer.fixture.ts';
import { publicKeyPem, throwAwayKey } from './release.signature.ts';

/** The archives here are for the machine that runs the tests. */
const target = process.arch === 'arm64' ? 'linux-arm64' : 'linux-x64';
const other = target === 'linux-x64' ? 'linux-arm64' : 'linux-x64';

let folder: string;
let prefix: string;
beforeEach(() => {
  folder = temporaryFolder('coferment-install');
  prefix = join(folder, 'opt');
});

function release(version: string, more: { program?: string; into?: string } = {}): Promise<string> {
  const out = join(folder, more.into ?? version);
  mkdirSync(out);
  return makeRelease(out, { version, target, ...more });
}

const at = (...path: string[]): string => join(prefix, ...path);
const current = (): string => readlinkSync(at('current'));

describe('install.sh on an empty machine', () => {
  it('puts the version below the prefix and links the commands', async () => {
    const answer = install(await release('1.0.0'), ['--prefix', prefix]);
    expect(answer).toMatchObject({ code: 0, err: '' });
    expect(answer.out).toContain('Installed version 1.0.0');
    expect(current()).toBe('versions/1.0.0');
    expect(install(at('bin/coferment-agent'), []).out).toBe('1.0.0\n');
    expect(existsSync(at('bin/coferment-audit'))).toBe(true);
  });

  it('says that the signature was not checked when it got no key', async () => {
    expect(install(await release('1.0.0'), ['--prefix', prefix]).out).toContain('NOT CHECKED: who made this');
  });

  it('takes a prefix relative to where it was started', async () => {
    const script = await release('1.0.0');
    const answer = install('-c', ['cd "$1" && sh "$2" --prefix relative', 'sh', folder, script]);
    expect(answer).toMatchObject({ code: 0 });
    expect(existsSync(join(folder, 'relative/current/bin/coferment-agent'))).toBe(true);
  });

  it('leaves nothing half unpacked', async () => {
    install(await release('1.0.0'), ['--prefix', prefix]);
    const seen = install('-c', ['ls -A "$1/versions" "$1"', 'sh', prefix]).out;
    expect(seen).not.toMatch(/incoming|\.new\./);
  });
});

describe('install.sh refuses', () => {
  async function refused(script: string, args: readonly string[], before: readonly string[] = []) {
    const answer = install(script, ['--prefix', prefix, ...args], before);
    expect(answer.code).toBe(1);
    expect(existsSync(at('current'))).toBe(false);
    return answer.err;
  }

  it('an archive with one byte more', async () => {
    const script = await release('1.0.0');
    appendFileSync(join(folder, `1.0.0/coferment-agent-1.0.0-${target}.tar.gz`), 'x');
    expect(await refused(script, [])).toContain('is not what SHA256SUMS says');
  });

  it('an archive that the sums do not name', async () => {
    const script = await release('1.0.0');
    writeFileSync(join(folder, '1.0.0/SHA256SUMS'), `${'0'.repeat(64)}  something-else.tar.gz\n`);
    expect(await refused(script, [])).toContain('does not name');
  });

  it('to go on without sums', async () => {
    const script = await release('1.0.0');
    rmSync(join(folder, '1.0.0/SHA256SUMS'));
    expect(await refused(script, [])).toContain('there is no SHA256SUMS');
  });

  it('an archive for another processor, and names both', async () => {
    const script = await release('1.0.0');
    await makeRelease(join(folder, '1.0.0'), { version: '1.0.0', target: other });
    expect(await refused(script, ['--archive', join(folder, `1.0.0/coferment-agent-1.0.0-${other}.tar.gz`)])).toMatch(
      new RegExp(`${other}.*is not for this machine, which needs ${target}`),
    );
  });

  it('a processor that there is no archive for', async () => {
    const fake = commands(join(folder, 'fake'), { uname: 'case $1 in -s) echo Linux ;; *) echo riscv64 ;; esac' });
    expect(await refused(await release('1.0.0'), [], [fake])).toContain('this machine is riscv64');
  });

  it('another system', async () => {
    const fake = commands(join(folder, 'fake'), { uname: 'echo Darwin' });
    expect(await refused(await release('1.0.0'), [], [fake])).toContain('this is Darwin');
  });

  it.each(['2.27', '2.9', '1.99'])('glibc %s', async (version) => {
    const fake = commands(join(folder, 'fake'), { getconf: `echo glibc ${version}` });
    expect(await refused(await release('1.0.0'), [], [fake])).toContain(`has glibc ${version}; the agent needs glibc 2.28`);
  });

  it('a system without glibc', async () => {
    const fake = commands(join(folder, 'fake'), { getconf: 'exit 1' });
    expect(await refused(await release('1.0.0'), [], [fake])).toContain('no glibc');
  });

  it('an agent that does not start, with what it said', async () => {
    const script = await release('1.0.0', { program: 'echo "no libatomic here" >&2; exit 127' });
    expect(await refused(script, [])).toContain('does not start on this machine: no libatomic here');
    expect(existsSync(at('versions/1.0.0'))).toBe(false);
  });

  it('an agent of another version than its name says', async () => {
    expect(await refused(await release('1.0.0', { program: 'echo 0.9.9' }), [])).toContain('says it is version "0.9.9", not 1.0.0');
  });

  it('a version that is a path', async () => {
    const script = await release('1.0.0');
    writeFileSync(join(folder, `1.0.0/coferment-agent-..-${target}.tar.gz`), '');
    expect(await refused(script, ['--archive', join(folder, `1.0.0/coferment-agent-..-${target}.tar.gz`)])).toContain('is no version');
  });

  it('to choose between two archives', async () => {
    const script = await release('1.0.0');
    await makeRelease(join(folder, '1.0.0'), { version: '1.1.0', target });
    expect(await refused(script, [])).toContain('there are 2 archives');
  });

  it.each([['--frobnicate'], ['--prefix'], ['--archive', '']])('wrong use: %s', async (...args) => {
    const answer = install(await release('1.0.0'), args);
    expect(answer.code).toBe(2);
    expect(answer.err).toContain('Usage:');
  });
});

describe.skipIf(!has('openssl'))('the signature (skipped where there is no openssl)', () => {
  const key = throwAwayKey();
  let script: string;
  let keyFile: string;

  beforeEach(async () => {
    mkdirSync(join(folder, 'release'));
    script = await makeRelease(join(folder, 'release'), { version: '1.0.0', target, key });
    keyFile = join(folder, 'release.pub.pem');
    writeFileSync(keyFile, publicKeyPem(key));
  });

  const run = () => install(script, ['--prefix', prefix, '--public-key', keyFile]);

  it('is accepted from the key', () => {
    const answer = run();
    expect(answer).toMatchObject({ code: 0, err: '' });
    expect(answer.out).toContain('The signature fits');
    expect(answer.out).not.toMatch(/NOT CHECKED|UNOFFICIAL/);
  });

  it('is refused from another key', () => {
    writeFileSync(keyFile, publicKeyPem(throwAwayKey()));
    expect(run()).toMatchObject({ code: 1, err: expect.stringContaining('does not fit the key') as string });
    expect(existsSync(at('current'))).toBe(false);
  });

  it('is refused when the sums were changed along with the archive', async () => {
    const signature = readFileSync(join(folder, 'release/SHA256SUMS.sig'));
    await makeRelease(join(folder, 'release'), { version: '1.0.0', target, program: 'echo 1.0.0 # and something else' });
    writeFileSync(join(folder, 'release/SHA256SUMS.sig'), signature);
    expect(run()).toMatchObject({ code: 1, err: expect.stringContaining('does not fit the key') as string });
  });

  it('is missed when it is not there', () => {
    rmSync(join(folder, 'release/SHA256SUMS.sig'));
    expect(run()).toMatchObject({ code: 1, err: expect.stringContaining('there is no signature') as string });
  });

  it('is called unofficial when a throw-away key made it', () => {
    install('-c', ['cd "$1" && mv SHA256SUMS.sig SHA256SUMS.UNOFFICIAL.sig', 'sh', join(folder, 'release')]);
    expect(run().out).toContain('UNOFFICIAL');
  });

  it('is not passed over where OpenSSL is too old for it', () => {
    const fake = commands(join(folder, 'fake'), { openssl: 'echo OpenSSL 1.1.1k FIPS 25 Mar 2021' });
    const answer = install(script, ['--prefix', prefix, '--public-key', keyFile], [fake]);
    expect(answer).toMatchObject({ code: 1, err: expect.stringContaining('OpenSSL 3 can') as string });
  });
});

describe('an upgrade', () => {
  beforeEach(async () => {
    install(await release('1.0.0'), ['--prefix', prefix]);
  });

  it('switches, and keeps the version before for --rollback, there and back', async () => {
    expect(install(await release('1.1.0'), ['--prefix', prefix]).out).toContain('Upgraded from 1.0.0 to 1.1.0');
    expect(current()).toBe('versions/1.1.0');
    expect(install(at('current/install.sh'), ['--prefix', prefix, '--rollback']).out).toContain('Back from 1.1.0 to 1.0.0');
    expect(install(at('bin/coferment-agent'), []).out).toBe('1.0.0\n');
    install(at('current/install.sh'), ['--prefix', prefix, '--rollback']);
    expect(current()).toBe('versions/1.1.0');
  });

  it('that fails leaves the agent that was there', async () => {
    const answer = install(await release('1.1.0', { program: 'exit 1' }), ['--prefix', prefix]);
    expect(answer.code).toBe(1);
    expect(install(at('bin/coferment-agent'), []).out).toBe('1.0.0\n');
    expect(existsSync(at('versions/1.1.0'))).toBe(false);
  });

  it('to the same version changes nothing', async () => {
    const again = install(join(folder, '1.0.0/install.sh'), ['--prefix', prefix]);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('was installed already') as string });
    expect(existsSync(at('previous'))).toBe(false);
  });

  it('to another build of the same version is refused', async () => {
    const script = await release('1.0.0', { program: 'echo 1.0.0 # rebuilt', into: 'rebuilt' });
    expect(install(script, ['--prefix', prefix]).err).toContain('is installed already, with other content');
  });

  it('notices that an installed file was changed', async () => {
    appendFileSync(at('versions/1.0.0/bin/coferment-agent'), '# changed\n');
    expect(install(join(folder, '1.0.0/install.sh'), ['--prefix', prefix]).err).toContain('files of it were changed');
  });

  it('of an upgrade names what is no longer needed', async () => {
    install(await release('1.1.0'), ['--prefix', prefix]);
    expect(install(await release('1.2.0'), ['--prefix', prefix]).out).toContain(`no longer needed: ${at('versions/1.0.0')}`);
  });
});

describe('--rollback and --uninstall', () => {
  it('say where nothing is installed', async () => {
    const script = await release('1.0.0');
    expect(install(script, ['--prefix', prefix, '--rollback']).err).toContain('no agent is installed');
    expect(install(script, ['--prefix', prefix, '--uninstall']).err).toContain('no agent is installed');
  });

  it('--rollback without a version before changes nothing', async () => {
    const script = await release('1.0.0');
    install(script, ['--prefix', prefix]);
    expect(install(script, ['--prefix', prefix, '--rollback'])).toMatchObject({ code: 1 });
    expect(current()).toBe('versions/1.0.0');
  });

  it('--uninstall removes the programs and nothing else, wherever the data are', async () => {
    const script = await release('1.0.0');
    install(script, ['--prefix', prefix]);
    mkdirSync(at('data'));
    writeFileSync(at('data/keys'), 'kept');
    symlinkSync('/bin/true', at('bin/other'));
    expect(install(script, ['--prefix', prefix, '--uninstall'])).toMatchObject({ code: 0 });
    expect(readFileSync(at('data/keys'), 'utf8')).toBe('kept');
    expect(install('-c', ['ls "$1" "$1/bin"', 'sh', prefix]).out.trim().split(/\s+/)).toEqual(
      expect.arrayContaining(['bin', 'data', 'other']),
    );
    expect(existsSync(at('current'))).toBe(false);
    expect(existsSync(at('versions'))).toBe(false);
  });

  it('--uninstall refuses while an agent runs from there, and names the process', async () => {
    const script = await release('1.0.0');
    install(script, ['--prefix', prefix]);
    copyFileSync('/bin/sleep', at('versions/1.0.0/bin/node'));
    const running = spawn(at('versions/1.0.0/bin/node'), ['60']);
    try {
      await once(running, 'spawn');
      expect(install(script, ['--prefix', prefix, '--uninstall']).err).toContain(`(process ${running.pid})`);
      expect(current()).toBe('versions/1.0.0');
    } finally {
      running.kill('SIGKILL');
    }
  });

  it.skipIf(process.getuid?.() === 0 && !has('setpriv'))('an ordinary user is told when the prefix is not theirs', async () => {
    const script = await release('1.0.0');
    mkdirSync(at('locked'), { recursive: true });
    chmodSync(at('locked'), 0o555);
    const asUser = process.getuid?.() === 0 ? 'exec setpriv --reuid 65534 --regid 65534 --clear-groups sh "$@"' : 'exec sh "$@"';
    chmodSync(folder, 0o755);
    const answer = install('-c', [asUser, 'sh', script, '--prefix', at('locked/agent')]);
    expect(answer).toMatchObject({ code: 1, err: expect.stringContaining('choose a folder of your own with --prefix') as string });
  });
});
