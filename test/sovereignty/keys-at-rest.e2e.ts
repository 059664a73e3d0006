/*
 * What opens a store, as people and systemd give it: real commands of both programs (docs/keys-at-rest.md).
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { AGENT, COORDINATOR, type CommandResult, runCommand } from '../e2e/command.runner.js';
import { TestConsortium } from '../e2e/test.consortium.js';
import { withEnvironment } from './secret.traces.js';

const consortium = new TestConsortium();
const scratch = temporaryFolder('keys-at-rest');
const credentials = join(scratch, 'credentials');
const coordinatorData = ['--data', consortium.folders.coordinator];
const passphrase = consortium.passphraseFile('coordinator');
const [keyFile, site, backup] = ['key', 'site', 'backup'].map((name) => join(scratch, name)) as [string, string, string];
let invite: string;

beforeAll(async () => {
  await consortium.start();
  invite = await consortium.coordinator.invite('alder');
  // As systemd lays credentials out: an access list shows as a right of the group.
  mkdirSync(credentials, { mode: 0o700 });
  writeFileSync(join(credentials, 'coferment-passphrase'), readFileSync(passphrase));
  chmodSync(join(credentials, 'coferment-passphrase'), 0o440);
}, 120_000);
afterAll(() => consortium.stop());

const coferment = (...args: string[]): Promise<CommandResult> => runCommand(COORDINATOR, args);
const agent = (...args: string[]): Promise<CommandResult> => runCommand(AGENT, args);

/** On a pseudo-terminal of util-linux: what is typed, and everything that a person then sees. */
function onTerminal(typed: string, command: readonly string[]): Promise<{ code: number | null; shown: string }> {
  const line = command.map((word) => `'${word}'`).join(' ');
  const child = spawn('script', ['--quiet', '--return', '--echo', 'always', '--command', line, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  let asked = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    // One answer for each question; typing ahead would be echoed by the terminal itself.
    for (const questions = shown.split(/passphrase[^\n]*: /).length - 1; asked < questions; asked++) child.stdin.write(`${typed}\r`);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, shown }));
  });
}

describe("the consortium's keys", () => {
  it('open with the credential of a unit, without any option', async () => {
    const { code, stdout } = await withEnvironment({ CREDENTIALS_DIRECTORY: credentials }, () =>
      coferment('status', ...coordinatorData, '--json'),
    );
    expect([code, Object.keys(JSON.parse(stdout) as object)]).toEqual([0, expect.arrayContaining(['sites'])]);
  });

  it('do not open with two sources, with none where nobody can be asked, or with a file that others can read', async () => {
    const both = await coferment('status', ...coordinatorData, '--passphrase-file', passphrase, '--key-file', keyFile);
    expect([both.code, both.stderr]).toEqual([1, expect.stringMatching(/--passphrase-file .* and --key-file /)]);
    const none = await coferment('status', ...coordinatorData);
    expect([none.code, none.stderr]).toEqual([1, expect.stringMatching(/--passphrase-file FILE or --key-file FILE.*coferment-passphrase/)]);
    const open = join(scratch, 'open');
    writeFileSync(open, readFileSync(passphrase), { mode: 0o600 });
    chmodSync(open, 0o644);
    const refused = await coferment('status', ...coordinatorData, '--passphrase-file', open);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`chmod 600 ${open}`)]);
  });

  it('open at a terminal, which does not show what is typed', async () => {
    const typed = readFileSync(passphrase, 'utf8').trim();
    const { code, shown } = await onTerminal(typed, [process.execPath, '--no-warnings', COORDINATOR, 'status', ...coordinatorData]);
    expect([code, shown]).toEqual([0, expect.stringContaining("The passphrase of the consortium's keys: ")]);
    expect(shown).not.toContain(typed);
  });

  it('get no other passphrase and no backup while the coordinator runs', async () => {
    const change = ['--passphrase-file', passphrase, '--new-passphrase-file', join(credentials, 'coferment-passphrase')];
    for (const args of [
      ['keys', 'change-passphrase', ...coordinatorData, ...change],
      ['backup', ...coordinatorData, '--out', backup],
    ]) {
      const refused = await coferment(...args);
      expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining(`process ${consortium.coordinator.pid}`)]);
    }
  });
});

describe("a site's keys", () => {
  it('are made with a key file, in a folder for their owner only', async () => {
    expect((await agent('keys', 'new-key-file', keyFile)).code).toBe(0);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect((await agent('keys', 'new-key-file', keyFile)).code).toBe(1);
    expect((await agent('join', invite, '--data', site, '--key-file', keyFile)).code).toBe(0);
    expect(statSync(site).mode & 0o777).toBe(0o700);
  });

  it('change to a passphrase typed twice, and then refuse the key file; a restored backup opens with it', async () => {
    const change = [AGENT, 'keys', 'change-passphrase', '--data', site, '--key-file', keyFile];
    const { code, shown } = await onTerminal('typed by hand', [process.execPath, '--no-warnings', ...change]);
    expect([code, shown]).toEqual([0, expect.stringMatching(/The new passphrase: [^]*again: /)]);
    expect(shown).not.toContain('typed by hand');
    const typed = join(scratch, 'typed');
    writeFileSync(typed, 'typed by hand\n', { mode: 0o600 });
    const restored = join(scratch, 'restored');
    expect((await agent('backup', '--data', site, '--out', backup)).code).toBe(0);
    expect((await agent('restore', backup, '--data', restored, '--json')).code).toBe(0);
    const old = await agent('keys', 'change-passphrase', '--data', restored, '--key-file', keyFile, '--new-key-file', keyFile);
    expect([old.code, old.stderr]).toEqual([1, expect.stringContaining('does not open the keys')]);
    expect((await agent('keys', 'change-passphrase', '--data', restored, '--passphrase-file', typed, '--new-key-file', keyFile)).code).toBe(
      0,
    );
  });

  it('are refused in a folder that others can get at, and beside the membership of another site', async () => {
    const serve = () =>
      agent('serve', '--data', site, '--mapping', 'none.yaml', '--records', scratch, '--passphrase-file', join(scratch, 'typed'));
    chmodSync(site, 0o755);
    const open = await serve();
    expect([open.code, open.stderr]).toEqual([1, expect.stringContaining(`chmod -R go-rwx ${site}`)]);
    chmodSync(site, 0o700);
    const file = join(site, 'member.json');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"identityKey": "[0-9a-f]{64}"/, `"identityKey": "${'a'.repeat(64)}"`));
    const other = await serve();
    expect([other.code, other.stderr]).toEqual([1, expect.stringMatching(/have the identity key .* One of them is of another site/)]);
  });
});
