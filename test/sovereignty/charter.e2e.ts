/*
 * A consortium whose charter hides the sites' names and closes its ledger to auditors: what is kept, where, and from whom.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isPseudonym, parseInvite, pseudonymOf } from '@coferment/consortium';
import { parseVkey, policyOfLogKey, readFolder, verifyExport } from '@coferment/ledger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { exportLedger } from '../../coordinator/src/cli/ledger.export.js';
import { readLedger, statementsOf } from '../../coordinator/src/cli/ledger.reader.js';
import { startCoordinator } from '../../coordinator/src/coordinator.start.js';
import { readFacts } from '../../coordinator/src/identity/consortium.facts.js';
import { Database } from '../../coordinator/src/persistence/database.js';
import { PLAN_TEXT, TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import { AGENT, AUDITOR, runCommand } from '../e2e/command.runner.js';
import { Member, Operator, PASSPHRASE } from './member.fixture.js';

const COMPANIES = ['Hefewerk Süd & Co', 'Northern Amylase', 'Third Broth'] as const;
const coordinator = new TestCoordinator({ charter: { ledgerReaders: 'members', siteNames: 'pseudonyms', witnessQuorum: 0 } });
const operator = new Operator(coordinator);
const members: Member[] = [];

beforeAll(async () => {
  await coordinator.start();
  for (const company of COMPANIES) members.push(await new Member().join(await operator.invite(company, { preAdmitted: true })));
});
afterAll(() => coordinator.remove());

const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);

/** Each spelling in which a name could stand in bytes or JSON. */
const namesIn = (bytes: Buffer): string[] =>
  COMPANIES.filter((company) =>
    [company, JSON.stringify(company).slice(1, -1), Buffer.from(company).toString('base64').slice(0, 8)].some((text) =>
      bytes.includes(text),
    ),
  );

describe('the charter', () => {
  it('stands in the ledger right after its founding', async () => {
    const [, charter] = statementsOf(await readLedger(coordinator.operator));
    expect(charter).toMatchObject({ name: 'charter', predicate: { ledgerReaders: 'members', siteNames: 'pseudonyms' } });
    expect(await operator.status()).toMatchObject({ ledgerReaders: 'members', siteNames: 'pseudonyms' });
  });

  it.each([
    ['ledger readers', { ledgerReaders: 'members-and-auditors' as const }],
    ['site names', { siteNames: 'plain' as const }],
  ])('is never changed: a start with other %s is refused', async (_, charter) => {
    const folder = temporaryFolder('charter');
    writeFileSync(join(folder, 'consortium.json'), JSON.stringify(readFacts(coordinator.folder)));
    await expect(startCoordinator({ folder, passphrase: PASSPHRASE, charter })).rejects.toMatchObject({
      code: 'folder-unusable',
      message: expect.stringContaining('ledger readers members and site names pseudonyms'),
    });
  });

  it('closes the ledger and all that is published to auditors', async () => {
    const auditor = await new Member().join(await operator.invite('eve', { preAdmitted: true, role: 'auditor' }));
    const calls = auditor.calls();
    await expect(calls.download('a'.repeat(64))).rejects.toMatchObject({ code: 'forbidden', message: expect.stringContaining('charter') });
    calls.close();
    const folder = temporaryFolder('closed');
    writeFileSync(join(folder, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 });
    const flags = ['--passphrase-file', join(folder, 'passphrase'), '--json'];
    const closed = await runCommand(AGENT, ['ledger', 'export', '--out', join(folder, 'out'), '--data', auditor.folder, ...flags]);
    expect(closed.code).toBe(1);
    expect(closed.stderr).toContain('only members read its ledger');
    const open = await runCommand(AGENT, ['ledger', 'export', '--out', join(folder, 'out'), '--data', members[0]!.folder, ...flags]);
    expect(open).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('a pseudonym', () => {
  it.each(['', ' ', 'a\nb', 'a'.repeat(101)])('is not made for %j', async (name) => {
    await expect(operator.invite(name)).rejects.toMatchObject({ code: expect.stringMatching(/malformed|too-large/) });
  });

  it('is all that the site is called by', async () => {
    for (const [index, member] of members.entries()) {
      const { site, company, salt } = member.membership;
      expect(isPseudonym(site)).toBe(true);
      expect(company).toBe(COMPANIES[index]);
      expect(pseudonymOf({ company: company!, salt: salt! })).toBe(site);
      expect(await operator.member(site)).toMatchObject({ company: COMPANIES[index], state: 'enrolled' });
    }
  });

  it('stays the same for a company that is invited again, by its name or by the pseudonym', async () => {
    const company = 'Fourth Starter';
    const invite = parseInvite(await operator.invite(company));
    for (const name of [company, `  ${company}`, invite.site])
      expect(parseInvite(await operator.invite(name))).toMatchObject({
        site: invite.site,
        pseudonym: { company, salt: invite.pseudonym!.salt },
      });
  });

  it('hides the company: its name is in the table of sites and nowhere else', async () => {
    await coordinator.launch(PLAN_TEXT);
    const { payloads, entries, checkpoint } = await readLedger(coordinator.operator);
    for (const bytes of [...payloads, ...entries, Buffer.from(checkpoint)]) expect(namesIn(Buffer.from(bytes))).toEqual([]);
    const database = coordinator.running.context.get(Database);
    const tables = [
      'act',
      'epoch',
      'event',
      'invite',
      'ledger_entry',
      'model_state',
      'object',
      'plan',
      'round',
      'run',
      'witness_roll',
      'checkpoint_offer',
    ];
    for (const table of tables) {
      const stored: unknown = await database.transaction((manager) => manager.query(`SELECT * FROM ${table}`));
      expect(namesIn(Buffer.from(JSON.stringify(stored))), table).toEqual([]);
    }
    const stored: unknown = await database.transaction((manager) => manager.query('SELECT * FROM site'));
    expect(namesIn(Buffer.from(JSON.stringify(stored)))).toEqual([...COMPANIES]);
    // What the coordinator publishes and logs, and what the site's own log and journal say; the database's own files hold the table.
    const kept = filesOf(coordinator.folder).filter((file) => !file.includes('/database/'));
    expect(kept.length).toBeGreaterThan(3);
    for (const file of kept) expect(namesIn(readFileSync(file)), file).toEqual([]);
    for (const { folder } of members)
      for (const file of filesOf(folder)) if (!file.endsWith('member.json')) expect(namesIn(readFileSync(file)), file).toEqual([]);
  });

  it('is opened by its company alone, and checked by anybody', async () => {
    const [member] = members as [Member];
    const { stdout, code } = await runCommand(AGENT, ['identity', '--data', member.folder, '--open', '--json']);
    expect(code).toBe(0);
    const { site, company, salt } = JSON.parse(stdout) as { site: string; company: string; salt: string };
    expect(company).toBe(COMPANIES[0]);
    expect(await runCommand(AUDITOR, ['pseudonym', site, '--company', company, '--salt', salt])).toMatchObject({ code: 0 });
    expect(await runCommand(AUDITOR, ['pseudonym', site, '--company', COMPANIES[1], '--salt', salt])).toMatchObject({ code: 1 });
    expect((await runCommand(AGENT, ['identity', '--data', member.folder, '--json'])).stdout).not.toContain(salt);
  });

  it('leaves a ledger that holds', async () => {
    const out = temporaryFolder('ledger');
    const { logVkey } = await exportLedger(coordinator.operator, out);
    expect(await verifyExport(readFolder(out), { policy: policyOfLogKey(parseVkey(logVkey)) })).toMatchObject({ verdict: 'holds' });
  });
});
