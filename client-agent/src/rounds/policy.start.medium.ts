import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { writeMembership } from '../enrolment/membership.file.js';
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

it.each([
  ['broken', 'policy-invalid', { 'policy.yaml': 'schema: 1\nrules: { minSite: 3 }' }, undefined],
  ['not there', 'policy-missing', { 'policy.yaml': 'schema: 1' }, 'other.yaml'],
])('an agent does not start with rules that are %s', async (_what, code, files, named) => {
  const folder = member();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const records = { mappingFile: '', recordsFolder: '', pollWaitMs: 100, backend: 'wasm' as const };
  const watcher = { serving: () => expect.unreachable(), event: () => expect.unreachable(), probed: () => expect.unreachable() };
  const input = { folder, passphrase: 'x', ...records, ...(named === undefined ? {} : { policyFile: join(folder, named) }) };
  await expect(serve(input, watcher, new AbortController().signal)).rejects.toMatchObject({ code });
});
