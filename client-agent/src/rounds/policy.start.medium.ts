import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { addPolicyCommands } from '../cli/policy.commands.js';
import { writeMembership } from '../enrolment/membership.file.js';
import { lockFolder } from '../journal/folder.lock.js';
import { Journal } from '../journal/journal.js';
import { RecordedPolicy } from '../journal/policy.entries.js';
import { sitePolicy } from '../policy/policy.file.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { serve } from './agent.service.js';

/** A member whose keys are not even there: what is wrong with the rules is said before anything else is opened. */
function member(): string {
  const folder = temporaryFolder('agent-start');
  const joined = { schema: 1 as const, consortium: 'acme', site: 'a', coordinator: 'localhost:1', serverName: 'localhost' };
  const none = { caCertificate: '', logVkey: '', origin: '', certificateExpiresAt: new Date().toISOString() };
  writeMembership(folder, { ...joined, ...none, identityKey: 'b'.repeat(64), operatorKey: 'c'.repeat(64) });
  return folder;
}

const records = { mappingFile: '', recordsFolder: '', pollWaitMs: 100, backend: 'wasm' as const };
const watcher = { serving: () => expect.unreachable(), event: () => expect.unreachable(), probed: () => expect.unreachable() };
const start = (folder: string, policyFile?: string) =>
  serve(
    { folder, passphrase: 'x', ...records, ...(policyFile === undefined ? {} : { policyFile }) },
    watcher,
    new AbortController().signal,
  );

it.each([
  ['broken', 'policy-invalid', { 'policy.yaml': 'schema: 1\nrules: { minSite: 3 }' }, undefined],
  ['not there', 'policy-missing', { 'policy.yaml': 'schema: 1' }, 'other.yaml'],
])('an agent does not start with rules that are %s', async (_what, code, files, named) => {
  const folder = member();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  await expect(start(folder, named === undefined ? undefined : join(folder, named))).rejects.toMatchObject({ code });
});

describe('rules that are gone at the next start', () => {
  const file = (folder: string) => join(folder, 'policy.yaml');
  /** A site that has served with rules; only its journal tells, once their file is removed. */
  function ruled(): string {
    const folder = member();
    writeFileSync(file(folder), 'schema: 1\nrules: { minContributors: 5 }');
    const journal = Journal.open(join(folder, 'journal.sqlite'));
    new RecordedPolicy(sitePolicy(folder, undefined), journal.record).current();
    journal.close();
    rmSync(file(folder));
    return folder;
  }
  const drop = async (folder: string) => {
    const program = new Command();
    addPolicyCommands(program);
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    await program.parseAsync(['policy', 'drop', '--data', folder, '--json'], { from: 'user' });
    const said = String(written.mock.calls.at(-1)?.[0]);
    vi.restoreAllMocks();
    process.exitCode = 0;
    return JSON.parse(said) as { dropped?: string | null; error?: { code: string } };
  };

  it('keep the agent from serving, until the file is back or somebody has said that there are none', async () => {
    const folder = ruled();
    const error = {
      code: 'policy-missing',
      message: expect.stringMatching(/has standing rules.*SHA-256 [0-9a-f]{64}.*policy drop --data/),
    };
    await expect(start(folder)).rejects.toMatchObject(error);
    await expect(start(folder)).rejects.toMatchObject(error);
    // Other rules than before are the business of whoever looks after the file; the record says which.
    writeFileSync(file(folder), 'schema: 1');
    await expect(start(folder)).rejects.toMatchObject({ code: 'not-joined' });
    expect(await drop(folder)).toMatchObject({ error: { code: 'file-exists' } });
    rmSync(file(folder));
    await expect(start(folder)).rejects.toMatchObject(error);
    expect(await drop(folder)).toEqual({ dropped: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await drop(folder)).toEqual({ dropped: null });
    await expect(start(folder)).rejects.toMatchObject({ code: 'not-joined' });
    const journal = Journal.open(join(folder, 'journal.sqlite'));
    expect(journal.record.latest('policy-changed')).toMatchObject({ digest: null });
    journal.close();
  });

  it('are not dropped behind the back of an agent that serves', async () => {
    const folder = ruled();
    const lock = lockFolder(folder);
    expect(await drop(folder)).toMatchObject({ error: { code: 'folder-locked' } });
    lock.release();
    await expect(start(folder)).rejects.toMatchObject({ code: 'policy-missing' });
  });
});
