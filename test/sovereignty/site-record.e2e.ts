import { copyFileSync, cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { AGENT, type CommandResult, runCommand } from '../e2e/command.runner.js';
import { TestConsortium } from '../e2e/test.consortium.js';
import { canaries, plantedPlan, SMALL_SITE, writePlantedRecords } from './planted.records.js';

/** Whole processes: with SOVEREIGNTY_FULL=1. What they share with one process is tested in client-agent/src/journal and client-agent/src/reproduce. */
const FULL = process.env['SOVEREIGNTY_FULL'] === '1';
const SITES = ['site-1', 'site-2', 'site-3'];
const LONGEST_MS = 240_000;

const consortium = new TestConsortium();
const records = join(consortium.folders.records, 'site-1');
const passphrase = consortium.passphraseFile('site-1');
const ledger = temporaryFolder('record-ledger');
/** The journal of site-1 as it was in the middle of the run. */
const old = temporaryFolder('rolled-back');
let folder: string;
let run: string;

const journal = (...args: string[]): Promise<CommandResult> => runCommand(AGENT, ['journal', ...args]);
const reproduce = (from: string, ...args: string[]): Promise<CommandResult> =>
  runCommand(AGENT, [
    'reproduce',
    '--run',
    run,
    '--data',
    folder,
    '--mapping',
    join(from, 'mapping.yaml'),
    '--records',
    from,
    '--passphrase-file',
    passphrase,
    ...args,
  ]);

async function untilEvents(count: number, isMeant: (site: string, event: Record<string, unknown>) => boolean): Promise<void> {
  for (const endMs = Date.now() + LONGEST_MS; Date.now() < endMs; await pause(20))
    if (consortium.events.filter(({ site, event }) => isMeant(site, event)).length >= count) return;
  throw new Error('an event did not come');
}

describe.runIf(FULL)('the record of a site that took part in a run', () => {
  beforeAll(async () => {
    await consortium.start();
    await consortium.enrol(SITES.map((id) => ({ id, write: (at) => writePlantedRecords(at, id, SMALL_SITE) })));
    run = await consortium.launch(plantedPlan(2).replace('quorum: { minContributors: 4 }', 'quorum: { minContributors: 3 }'));
    await consortium.serve();
    folder = consortium.agents[0]!.folder;
    const followed = consortium.follow(run);
    await untilEvents(1, (site, event) => site === 'site-1' && event['event'] === 'applied' && event['kind'] === 'statistics');
    copyFileSync(join(folder, 'member.json'), join(old, 'member.json'));
    const raw = new DatabaseSync(join(folder, 'journal.sqlite'), { readOnly: true });
    raw.exec(`VACUUM INTO '${join(old, 'journal.sqlite')}'`);
    raw.close();
    expect((await followed).state).toBe('completed');
    await untilEvents(SITES.length, (_, event) => event['event'] === 'run-closed');
    await consortium.coordinator.exportLedger(ledger);
  }, 300_000);
  afterAll(() => consortium.stop());

  it('holds while its agent serves, and agrees with the ledger both ways', async () => {
    const { code, stdout } = await journal('verify', '--data', folder, '--ledger', ledger, '--json');
    const report = JSON.parse(stdout) as { verdict: string; findings: unknown[]; checked: string[]; notes: string[] };
    expect(report).toMatchObject({ verdict: 'holds', findings: [] });
    expect(report.checked.join('\n')).toMatch(/\d+ acts in the ledger under the key of this site: \d+ are in the record/);
    expect(code).toBe(0);
  });

  it('tells in plain words what was decided, trained and sent, and holds no record value', async () => {
    const { stdout } = await journal('--data', folder, '--run', run);
    for (const said of [
      /run 1 of plan \S+ was approved by a person/,
      /the roster \S+ is the one in use now/,
      /trained an update for sum \d+, round 2, with wasm/,
      /sending ciphertext, \d+ bytes, digest/,
      /contribution \(item \d+\): accepted/,
      /attested/,
      /applied sum \d+; the model is now the one of sum/,
      /the keys of the run were erased/,
      /the run is closed \(completed\)/,
    ])
      expect(stdout).toMatch(said);
    const exact = Buffer.from((await journal('--data', folder, '--json')).stdout);
    for (const [name, piece] of canaries(SMALL_SITE)) expect(exact.includes(piece), name).toBe(false);
    const since = await journal('--data', folder, '--since', '100000');
    expect([since.code, since.stdout]).toEqual([0, '']);
    expect((await journal('--data', folder, '--since', 'yesterday')).code).toBe(2);
  });

  it('is exported, and checked on another machine by its key; one changed byte is refused', async () => {
    const file = join(temporaryFolder('record-export'), 'record.jsonl');
    const exported = await journal('export', file, '--data', folder, '--passphrase-file', passphrase, '--json');
    expect(exported.code).toBe(0);
    const { identityKey } = JSON.parse(exported.stdout) as { identityKey: string };
    expect((await journal('verify', file, '--key', identityKey)).code).toBe(0);
    expect((await journal('verify', file, '--key', '0'.repeat(64))).code).toBe(1);
    expect((await journal('verify', file)).code).toBe(2);
    expect((await journal('export', file, '--data', folder)).stderr).toMatch(/was not exported/);
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(file, bytes);
    expect((await journal('verify', file, '--key', identityKey)).code).toBe(1);
  });

  it('lets both updates, the statistics and the evaluation be made again, and not from changed records', async () => {
    for (const wanted of [
      ['--round', '1'],
      ['--round', '2'],
      ['--sum', '4'],
      ['--sum', '7'],
    ]) {
      const { code, stdout } = await reproduce(records, ...wanted);
      expect(stdout).toMatch(/the same to the last bit/);
      expect(code).toBe(0);
    }
    const changed = temporaryFolder('changed-records');
    cpSync(records, changed, { recursive: true });
    const offline = join(changed, 'offline.csv');
    writeFileSync(offline, readFileSync(offline, 'utf8').replace('9.8696044', '9.8696045'));
    const { code, stdout } = await reproduce(changed, '--round', '1', '--json');
    expect(JSON.parse(stdout)).toMatchObject({ matches: false, reasons: [expect.stringMatching(/The records are not those/)] });
    expect(code).toBe(1);
    const none = await reproduce(records, '--round', '9');
    expect([none.code, none.stderr]).toEqual([2, expect.stringMatching(/has no round 9/)]);
  });

  it('shows what was rolled back: the ledger has acts of this site that an older folder does not know', async () => {
    expect((await journal('verify', '--data', old)).code).toBe(0);
    const { code, stdout } = await journal('verify', '--data', old, '--ledger', ledger);
    expect(stdout).toMatch(/entry \d+ of the ledger: it is under the key of this site, and the record does not know it .*rolled back/);
    expect(code).toBe(1);
  });
});
