import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Predicate, type PredicateName, signStatement } from '@coferment/consortium';
import { bytesToHex, generateIdentity, loadCrypto } from '@coferment/crypto';
import { encodeVkey, formatTlogProof, openCheckpoint, parsePolicy } from '@coferment/ledger';
import { Command, CommanderError } from 'commander';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeMembership } from '../enrolment/membership.file.js';
import { KeyStore } from '../keys/key.store.js';
import { writeTlsCredential } from '../keys/site.identity.js';
import '../testing/lowest-cost.passphrases.fixture.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { takeCheckpoint } from '../witness/cosigning.act.js';
import { LOG_KEY, ORIGIN, WitnessingSite, WordLog } from '../witness/forking.coordinator.fixture.js';
import { addDataCommands } from './data.commands.js';
import { addWitnessCommands } from './witness.commands.js';

/** What the coordinator answers when it is asked for a proof. */
const asked = vi.hoisted(() => vi.fn<(oldSize: number, newSize: number) => Promise<Uint8Array[]>>());
vi.mock('../connection/ledger.client.js', () => ({
  LedgerClient: class {
    readonly consistencyProof = asked;
    close(): void {}
  },
}));

const log = WordLog.counting(20);
const PASSPHRASE = 'correct horse battery';
let site: WitnessingSite;
let screen: string;
let errors: string;
let files: string;

beforeAll(loadCrypto);
beforeEach(() => {
  site = new WitnessingSite();
  files = temporaryFolder('witness-files');
  writeMembership(site.folder, {
    schema: 1,
    consortium: 'acme',
    site: 'a',
    identityKey: bytesToHex(site.identity.publicKey),
    coordinator: 'localhost:1',
    serverName: 'localhost',
    caCertificate: '',
    operatorKey: 'c'.repeat(64),
    logVkey: encodeVkey(LOG_KEY),
    origin: ORIGIN,
    certificateExpiresAt: new Date().toISOString(),
  });
  writeTlsCredential(KeyStore.create(join(site.folder, 'keys'), PASSPHRASE), {
    key: '',
    certificate: '',
  });
  takeCheckpoint(site.context, log.offer(0, 8), false, site.nowMs);
});
afterEach(() => {
  vi.restoreAllMocks();
  process.exitCode = 0;
});

async function run(...args: string[]): Promise<{ code: number; screen: string; errors: string }> {
  [screen, errors] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((screen += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((errors += String(text)), true));
  const program = new Command().exitOverride().configureOutput({ writeErr: (text) => void (errors += text) });
  const ledger = program.command('ledger').exitOverride();
  addWitnessCommands(ledger);
  addDataCommands(program);
  process.exitCode = 0;
  await program.parseAsync([...args, '--data', site.folder], { from: 'user' });
  return { code: process.exitCode, screen, errors };
}

const compare = (text: string, ...more: string[]) => {
  const path = join(files, 'theirs.txt');
  writeFileSync(path, text);
  const secret = join(files, 'passphrase');
  writeFileSync(secret, PASSPHRASE, { mode: 0o600 });
  return run('ledger', 'compare', path, '--passphrase-file', secret, ...more);
};

const proves = (shown: WordLog) => asked.mockImplementation((oldSize, newSize) => Promise.resolve(shown.proof(oldSize, newSize)));

describe('ledger checkpoint', () => {
  it('prints the note, byte for byte, that another site compares', async () => {
    const { screen: note, code } = await run('ledger', 'checkpoint');
    expect([note, code]).toEqual([site.journal.cosigned.latest()!.note, 0]);
    expect(openCheckpoint(note, [LOG_KEY]).size).toBe(8n);
    expect(JSON.parse((await run('ledger', 'checkpoint', '--json')).screen)).toMatchObject({ checkpoint: note, size: '8' });
  });
});

describe('ledger compare', () => {
  it.each([
    ['a note', (note: string) => note],
    ['a receipt', (note: string) => formatTlogProof({ index: 0n, entry: new Uint8Array(3), proof: [], checkpoint: note })],
    ['ledger checkpoint --json', (note: string) => JSON.stringify({ checkpoint: note, size: '8' })],
    ['status --json', (note: string) => JSON.stringify({ site: 'b', cosigned: { checkpoint: note } })],
    [
      'a Sigstore bundle',
      (note: string) => JSON.stringify({ verificationMaterial: { tlogEntries: [{ inclusionProof: { checkpoint: { envelope: note } } }] } }),
    ],
  ])('finds the same log in %s', async (_, form) => {
    expect(await compare(form(log.note(8)))).toMatchObject({ code: 0, screen: expect.stringContaining('The same log') });
    expect(site.journal.evidence.all()).toEqual([]);
  });

  it.each([5, 12])('asks for the proof between two sizes: theirs is %i', async (size) => {
    proves(log);
    expect(await compare(log.note(size), '--json')).toMatchObject({ code: 0 });
    expect(JSON.parse(screen)).toEqual({ verdict: 'same-log', ownSize: '8', otherSize: String(size) });
  });

  it.each([
    ['the same size', 8],
    ['a smaller one', 6],
    ['a larger one', 12],
  ])('keeps a split view of %s, stops the site, and says so first in its status', async (_, size) => {
    proves(log);
    const fork = log.forked(4, 20);
    expect(await compare(fork.note(size))).toMatchObject({ code: 1, screen: expect.stringMatching(/^NOT THE SAME LOG\./) });
    expect(site.journal.evidence.undecided()).toMatchObject([{ foundBy: 'comparison' }]);
    const status = await run('status');
    expect(status).toMatchObject({ code: 1, screen: expect.stringMatching(/^STOPPED: THE LOG IS NOT THE SAME FOR EVERYBODY/) });
    expect(JSON.parse((await run('status', '--json')).screen)).toMatchObject({ splitViews: [{ id: 1 }], cosigned: { size: '8' } });
    // Decided on, it stays decided, and the site stays on its own history.
    expect(await run('ledger', 'evidence', '--dismiss', '1', '--reason', 'a test log')).toMatchObject({ code: 0 });
    expect(await compare(fork.note(size))).toMatchObject({ code: 1, screen: expect.stringContaining('dismissed before') });
    expect((await run('status')).code).toBe(0);
    expect(site.journal.cosigned.latest()!.size).toBe(8n);
  });

  it.each([
    ['nothing', ''],
    ['garbage', '\u0000\u001b[2J'],
    ['JSON without a checkpoint', '{"site":"b"}'],
    ['cut JSON', '{"checkpoint":'],
    ['the key of another log', log.note(8, new Uint8Array(32).fill(2))],
    ['another origin', log.note(8, undefined, 'ledger.example/other')],
    ['a changed size', log.note(8).replace('\n8\n', '\n9\n')],
    ['a receipt without checkpoint', 'c2sp.org/tlog-proof@v1\nindex 0\n'],
  ])('of %s compares nothing, and is no evidence', async (_, text) => {
    const found = await compare(text);
    expect(found).toMatchObject({ code: 2, errors: expect.stringContaining('no checkpoint that the log') });
    // oxlint-disable-next-line no-control-regex -- what must not be there
    expect(found.errors).not.toMatch(/[\u0000\u001b]/);
    expect(site.journal.evidence.all()).toEqual([]);
  });

  it('could not compare without the coordinator, or before this site has cosigned anything', async () => {
    asked.mockRejectedValue(new Error('the line is cut'));
    expect(await compare(log.note(12))).toMatchObject({ code: 2, errors: expect.stringContaining('the line is cut') });
    expect(await run('ledger', 'compare', join(files, 'none.txt'))).toMatchObject({ code: 2 });
    expect(site.journal.evidence.all()).toEqual([]);
  });
});

describe('ledger evidence', () => {
  it('says that there is none, writes out what there is, and lets a person decide once', async () => {
    expect((await run('ledger', 'evidence')).screen).toMatch(/no evidence/);
    takeCheckpoint(site.context, { note: log.forked(3, 8).note(), proof: [] }, false, site.nowMs);
    const out = join(files, 'evidence');
    expect((await run('ledger', 'evidence', '--out', out)).screen).toMatch(/undecided: this site signs nothing/);
    for (const half of ['first', 'second'])
      expect(openCheckpoint(readFileSync(join(out, `evidence-1-${half}.txt`), 'utf8'), [LOG_KEY]).size).toBe(8n);
    expect(existsSync(join(out, 'evidence-1.json'))).toBe(true);
    await expect(run('ledger', 'evidence', '--dismiss', '1')).rejects.toThrow(CommanderError);
    await expect(run('ledger', 'evidence', '--dismiss', 'x', '--reason', 'y')).rejects.toThrow(CommanderError);
    expect(await run('ledger', 'evidence', '--dismiss', '2', '--reason', 'y')).toMatchObject({
      code: 1,
      errors: expect.stringMatching(/Undecided: 1/),
    });
    expect(site.journal.evidence.undecided()).toHaveLength(1);
    expect((await run('ledger', 'evidence', '--dismiss', '1', '--reason', 'restored')).screen).toMatch(/This site goes on/);
    expect((await run('ledger', 'evidence', '--dismiss', '1', '--reason', 'restored')).code).toBe(1);
    expect((await run('ledger', 'evidence')).screen).toMatch(/dismissed .*: restored/);
  });
});

describe('ledger policy', () => {
  const operator = generateIdentity();
  /** The ledger says so, and this site has read it. */
  function read<N extends PredicateName>(name: N, predicate: Predicate<N>): void {
    const { journal } = site;
    const entry = journal.roll.all().length;
    const statement = Buffer.from(signStatement(name, predicate, operator).payload, 'base64').toString('utf8');
    journal.roll.add({ entry, name, statement });
    journal.ownActs.moveTo({ entries: entry + 1, lastEntry: 'f'.repeat(64), subtrees: [] });
  }
  const charter = (witnessQuorum: number) =>
    read('charter', { consortium: 'acme', ledgerReaders: 'members', siteNames: 'plain', witnessQuorum, witnesses: [] });
  const enrol = (name: string) => {
    read('site-enrolled', { consortium: 'acme', site: name, identityKey: bytesToHex(operator.publicKey), certificate: 'c'.repeat(64) });
    read('witness-key', { consortium: 'acme', site: name, key: bytesToHex(generateIdentity().publicKey) });
  };

  it('is refused before anything was read: it would ask for no witness', async () => {
    expect(await run('ledger', 'policy')).toMatchObject({ code: 1, screen: '', errors: expect.stringMatching(/has not read .* serve/) });
  });

  it('is refused while fewer witnesses are known than the charter asks for, and says what to do', async () => {
    charter(2);
    enrol('b');
    const { code, screen: text, errors: why } = await run('ledger', 'policy');
    expect([code, text]).toEqual([1, '']);
    expect(why).toMatch(/asks for 2 .* 1 .* first 3 entries/);
    expect(why).toContain('coferment-agent serve');
    const { error } = JSON.parse((await run('ledger', 'policy', '--json')).screen) as { error: { code: string } };
    expect(error.code).toBe('checkpoint-refused');
  });

  it('is a policy with its quorum, and says how much was read', async () => {
    charter(2);
    for (const name of ['b', 'c']) enrol(name);
    const { screen: text, code } = await run('ledger', 'policy');
    expect(code).toBe(0);
    expect(text).toMatch(/^# .* first 5 entries/);
    expect(parsePolicy(text)).toMatchObject({ logs: [LOG_KEY], witnesses: [{}, {}] });
    expect(text).toContain('group witnesses 2 w1 w2');
  });

  it('asks for no witness only where the charter does not', async () => {
    charter(0);
    expect(await run('ledger', 'policy')).toMatchObject({ code: 0, screen: expect.stringContaining('quorum none') });
  });
});
