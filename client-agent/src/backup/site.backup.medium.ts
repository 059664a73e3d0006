import { execFileSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bytesToHex, loadCrypto } from '@coferment/crypto';
import { peekStatement } from '@coferment/consortium';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeMembership } from '../enrolment/membership.file.js';
import { lockFolder } from '../journal/folder.lock.js';
import type { ScriptedConsortium } from '../rounds/consortium.fixture.js';
import { prepareSum } from '../rounds/contribution.handlers.js';
import { CONSORTIUM, type Member, reopenMember } from '../rounds/members.fixture.js';
import { codeOf, inTraining, openConsortium } from '../rounds/opened.consortia.fixture.js';
import { recallOwnActs, tellDeadEpochs } from '../rounds/own.acts.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { backUpSite, restoreSite } from './site.backup.js';

beforeAll(loadCrypto);

/** What a join would have written beside the keys. */
function enrol({ folder, site, identity }: Member): void {
  writeMembership(folder, {
    schema: 1,
    consortium: CONSORTIUM,
    site,
    identityKey: bytesToHex(identity.publicKey),
    coordinator: 'localhost:1',
    serverName: 'coordinator',
    caCertificate: 'none',
    operatorKey: 'a'.repeat(64),
    logVkey: 'none',
    origin: 'ledger.localhost/acme',
    certificateExpiresAt: new Date().toISOString(),
  });
}

const newFolder = (name: string): string => join(temporaryFolder('site-backup'), name);

async function backedUp(consortium: ScriptedConsortium, site = 'a'): Promise<string> {
  const out = newFolder('backup');
  enrol(consortium.member(site));
  await backUpSite(consortium.member(site).folder, out);
  return out;
}

async function restored(consortium: ScriptedConsortium, backup: string): Promise<Member> {
  const folder = newFolder('data');
  await restoreSite(backup, folder);
  const old = consortium.member('a');
  const member = reopenMember({ ...old, folder }, consortium.board);
  consortium.members[consortium.members.indexOf(old)] = member;
  return member;
}

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(folder, file)).isFile())
    .sort();

describe('a backup of a site that serves', () => {
  it('has everything but the keys of epochs, what only those give a sense to, locks and the log; for its owner only', async () => {
    const consortium = await inTraining();
    const a = consortium.member('a');
    const lock = lockFolder(a.folder);
    writeFileSync(join(a.folder, 'agent.log'), '{}\n');
    writeFileSync(join(a.folder, 'policy.yaml'), 'rules: []\n');
    a.store.write('tls', Buffer.from('pair'));
    const kept = a.objects.store(Buffer.from('an object of others'));
    const sent = a.journal.statements.objects(consortium.run);
    expect(sent.some((digest) => existsSync(join(a.folder, 'objects', digest)))).toBe(true);
    const backup = await backedUp(consortium);
    lock.release();
    const files = filesOf(backup);
    const expected = ['SHA256SUMS', 'backup.json', 'journal.sqlite', 'keys/store.json', 'keys/tls.sealed', 'member.json', 'policy.yaml'];
    expect(files.filter((file) => !file.startsWith('objects/'))).toEqual(expected);
    expect(files).toContain(`objects/${kept}`);
    for (const digest of sent) expect(files).not.toContain(`objects/${digest}`);
    if (process.platform === 'win32') return;
    for (const path of [backup, ...files.map((file) => join(backup, file))]) expect(statSync(path).mode & 0o077).toBe(0);
    // Checked without any code of this project.
    execFileSync('sha256sum', ['--check', '--strict', '--quiet', 'SHA256SUMS'], { cwd: backup });
  });

  it('is refused into the folder itself, with which it would be lost', async () => {
    const consortium = await inTraining();
    enrol(consortium.member('a'));
    const { folder } = consortium.member('a');
    const inside = join(folder, 'backup');
    expect(await codeOf(backUpSite(folder, inside))).toBe('file-exists');
    expect(existsSync(inside)).toBe(false);
  });

  it('is refused into a folder that is there, and of a folder that others can get at', async () => {
    const consortium = openConsortium(['a']);
    const backup = await backedUp(consortium);
    const { folder } = consortium.member('a');
    await expect(backUpSite(folder, backup)).rejects.toMatchObject({ code: 'file-exists' });
    await expect(backUpSite(newFolder('nothing'), newFolder('out'))).rejects.toMatchObject({ code: 'not-joined' });
    await expect(restoreSite(backup, folder)).rejects.toMatchObject({ code: 'file-exists' });
  });
});

describe('a backup that is not what it was', () => {
  let good: string;
  beforeAll(async () => {
    good = await backedUp(openConsortium(['a']));
  });

  it.each<[string, (backup: string) => void, RegExp]>([
    ['a changed byte', (backup) => appendFileSync(join(backup, 'member.json'), ' '), /member.json was altered/],
    ['a missing file', (backup) => rmSync(join(backup, 'journal.sqlite')), /journal.sqlite is missing/],
    ['a file too many', (backup) => writeFileSync(join(backup, 'policy.yaml'), 'rules: []'), /policy.yaml is not on its list/],
    ['no list, as when copying was cut off', (backup) => rmSync(join(backup, 'SHA256SUMS')), /no SHA256SUMS/],
    ['a list of something else', (backup) => writeFileSync(join(backup, 'SHA256SUMS'), 'x'), /does not end with a whole line/],
  ])('is not restored: %s', async (_, harm, said) => {
    const backup = newFolder('harmed');
    cpSync(good, backup, { recursive: true });
    harm(backup);
    const folder = newFolder('data');
    await expect(restoreSite(backup, folder)).rejects.toMatchObject({ code: 'backup-damaged', message: expect.stringMatching(said) });
    expect(existsSync(folder)).toBe(false);
  });

  it("is not restored when it is a coordinator's", async () => {
    const backup = newFolder('backup');
    mkdirSync(backup);
    writeFileSync(join(backup, 'SHA256SUMS'), '');
    await expect(restoreSite(backup, newFolder('data'))).rejects.toMatchObject({ code: 'backup-damaged' });
  });
});

describe('a site restored from a backup', () => {
  it('has left its key epochs though nothing was signed since, and tells the coordinator', async () => {
    const consortium = await inTraining();
    const backup = await backedUp(consortium);
    const a = await restored(consortium, backup);
    expect(a.journal.ownActs.whyDead(consortium.run, 1)).toMatch(/restored from a backup/);
    await recallOwnActs(a);
    expect(await codeOf(prepareSum(a, { name: consortium.name('update', 5, 1) }))).toBe('epoch-dead');
    await tellDeadEpochs(a);
    expect(peekStatement(consortium.board.latest('epoch-left')[0]!).predicate).toMatchObject({ site: 'a', epoch: 1, reason: 'restored' });
    // In the next key epoch it takes part as before.
    await consortium.renew({ epoch: 2, firstSum: 5 });
    expect(await codeOf(prepareSum(a, { name: consortium.name('update', 8, 1) }))).toBe('no error');
  });

  it('finds in the ledger what it has signed since, in an epoch that its journal does not know', async () => {
    const consortium = openConsortium();
    const backup = await backedUp(consortium);
    consortium.openEpoch();
    await consortium.ceremony();
    const a = await restored(consortium, backup);
    expect(a.journal.ownActs.deadEpochs()).toEqual([]);
    await recallOwnActs(a);
    expect(a.journal.ownActs.whyDead(consortium.run, 1)).toMatch(/Entry \d+ of the ledger \(dealing\)/);
  });

  it('is the same site: its member file and identity come back byte for byte', async () => {
    const consortium = openConsortium(['a']);
    const backup = await backedUp(consortium);
    const folder = newFolder('data');
    expect(await restoreSite(backup, folder)).toMatchObject({ site: 'a', consortium: CONSORTIUM, leftEpochs: 0 });
    for (const file of ['member.json', 'keys/store.json'])
      expect(readFileSync(join(folder, file))).toEqual(readFileSync(join(consortium.member('a').folder, file)));
    // A copy of the backup on other rights, as it comes back from a file server, restores just as well.
    const loose = newFolder('loose');
    cpSync(backup, loose, { recursive: true });
    await restoreSite(loose, newFolder('again'));
  });
});
