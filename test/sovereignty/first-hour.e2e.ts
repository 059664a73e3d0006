import { cpSync, existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { plantedPlan, SMALL_SITE, writePlantedRecords } from './planted.records.js';
import { ReadmeParty, readmeCommands } from './readme.party.js';

const ROUNDS = 1;
const SITES = ['site-a', 'site-b', 'site-c'];
const PASS = '(umask 077';

const parties: ReadmeParty[] = [];
afterAll(async () => {
  for (const party of parties.reverse()) await party.stop();
});

function party(commands: string, here: Readonly<Record<string, string>> = {}): ReadmeParty {
  const made = new ReadmeParty(temporaryFolder('coferment-first-hour'), readmeCommands(commands), here);
  parties.push(made);
  return made;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The people of different sites do not wait for each other. */
async function all(sites: readonly ReadmeParty[], work: (site: ReadmeParty, index: number) => Promise<void>): Promise<void> {
  await Promise.all(sites.map(work));
}

function found(text: string, pattern: RegExp): string {
  const [whole, part] = pattern.exec(text) ?? [];
  if (whole === undefined) throw new Error(`nothing in this looks like ${pattern}:\n${text}`);
  return part ?? whole;
}

it('the first hours of a site engineer, an operator and an auditor go as the README says, line by line', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const ledger = `127.0.0.1:${await freePort()}`;
  const addresses = {
    '0.0.0.0:7443': address,
    '0.0.0.0:7480': ledger,
    'coordinator.example:7443': address,
    '--sites 5': `--sites ${SITES.length}`,
  };
  const operator = party('An operator', addresses);
  await operator.type(PASS);
  const { said } = await operator.begin('coferment start', /Stop it with Ctrl-C/);
  const key = found(said, /on paper\): (\S+)/);

  const sites = SITES.map((site) => party('A site engineer', { 'site-a': site }));
  const invited = SITES.map((site) => {
    const inviting = new ReadmeParty(operator.folder, readmeCommands('An operator'), { ...addresses, 'site-a': site });
    parties.push(inviting);
    return inviting;
  });
  for (const [index, site] of sites.entries()) {
    await invited[index]!.type('coferment invite');
    cpSync(join(operator.folder, 'invite.txt'), join(site.folder, 'invite.txt'));
    writePlantedRecords(join(site.folder, 'historian'), SITES[index]!, SMALL_SITE);
    cpSync(join(site.folder, 'historian/mapping.yaml'), join(site.folder, 'mapping.yaml'));
    cpSync(join(site.folder, 'historian'), join(site.folder, 'next-batch'), { recursive: true });
  }
  await all(sites, async (site, index) => {
    await site.type(PASS);
    expect(await site.type('coferment-agent doctor')).toMatch(/IT/);
    const joining = await site.begin('coferment-agent join', /([a-z]+ ){5}[a-z]+/);
    const words = found(joining.said, /((?:[a-z]{3,8} ){5}[a-z]{3,8})\s*$/m);
    expect(await invited[index]!.typeUntil('coferment sites list', /pending/)).toContain(words);
    await invited[index]!.type('coferment sites admit', { 'six words': words });
    expect(await joining.ended).toContain('has joined');
    await site.type('coferment-agent check data');
    await site.begin('coferment-agent serve', /Connected\./);
  });

  writeFileSync(join(operator.folder, 'plan.yaml'), plantedPlan(ROUNDS).replace('minContributors: 4', 'minContributors: 3'));
  await operator.type('coferment plan explain');
  const plan = found(await operator.type('coferment plan publish'), /[0-9a-f]{64}/);
  const run = found(await operator.type('coferment launch', { plan }), /r1-[0-9a-f]{16}/);
  const watching = operator.begin('coferment watch', /completed/, { run });
  await all(sites, async (site) => {
    expect(await site.typeUntil('coferment-agent plans list', new RegExp(plan))).toContain(run);
    await site.type('coferment-agent plans show', { digest: plan });
    await site.type('coferment-agent plans approve', { digest: plan });
  });
  const fingerprint = found(await operator.type('coferment roster show', { run }), /Fingerprint: ([0-9a-f ]+)$/m);
  await all(sites, async (site) => {
    expect(await site.typeUntil('coferment-agent roster show', /Fingerprint: /)).toContain(fingerprint);
    await site.type('coferment-agent roster approve', { fingerprint });
  });
  await watching;

  await all(sites, async (site) => {
    await site.type('coferment-agent status');
    expect(await site.type('coferment-agent journal --data')).toMatch(/ciphertext/);
    await site.type('coferment-agent journal verify');
    await site.typeUntil('coferment-agent receipts list', /^(?!.*wait)(?=.*sum)/s);
    await site.type('coferment-agent receipts export');
    expect(await site.type('coferment-agent predict', { run })).toMatch(/product_concentration|batch/);
    expect(site.untyped).toEqual([]);
  });
  await operator.type('coferment models release', { run });
  expect(await operator.typeUntil('coferment ledger status', /published/i)).toContain('site-a');
  await operator.type('coferment export ledger');
  const auditor = party('An auditor', { 'coordinator.example:7480': ledger });
  const blanks = { 'key of the ledger': key };
  await auditor.type('coferment-audit fetch', blanks);
  await auditor.type('coferment-audit verify', blanks);
  expect(await auditor.type('coferment-audit show', blanks)).toContain('site-b');
  expect(await auditor.type('coferment-audit recompute', blanks)).toMatch(/bit for bit/);
  const [proofs] = globSync('receipts/*', { cwd: sites[0]!.folder });
  const proofFiles = ['contribution', 'freeze'].map((name) => join(sites[0]!.folder, proofs!, `${name}.tlog-proof`)).join(' ');
  expect(await auditor.type('coferment-audit receipt', { ...blanks, 'proofs of a site': proofFiles })).toContain('site-a');
  await auditor.type('coferment-audit report', blanks);
  expect(readFileSync(join(auditor.folder, 'report.html'), 'utf8')).toContain('site-c');
  expect(auditor.untyped).toEqual([]);
  expect(operator.untyped.filter((line) => !/^coferment (invite|sites)/.test(line))).toEqual([]);
  expect(existsSync(join(auditor.folder, 'ledger/checkpoint'))).toBe(true);
});
