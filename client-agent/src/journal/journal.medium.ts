import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MAX_BLOCKS_PER_EPOCH } from '@coferment/consortium';
import { generateIdentity, identityFromSeed, loadCrypto } from '@coferment/crypto';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyStore } from '../keys/key.store.js';
import { lockFolder } from './folder.lock.js';
import { Journal } from './journal.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';

const RUN = 'r1-0123456789abcdef';
const D = (digit: string) => digit.repeat(64);
const SEED = new Uint8Array(32).fill(7);

let folder: string;
let vault: KeyStore;
let vaultFolder: string;
beforeAll(async () => {
  await loadCrypto();
  vaultFolder = temporaryFolder('agent-vault');
  vault = KeyStore.create(vaultFolder, 'correct horse');
});
const path = () => join(folder, 'journal.sqlite');
beforeEach(() => {
  folder = temporaryFolder('agent-journal');
});

function openWithEpoch(): Journal {
  const journal = Journal.open(path(), { identity: identityFromSeed(SEED), vault });
  journal.runs.announce(RUN, D('a'), 1, ['a', 'b', 'c']);
  journal.runs.setState(RUN, 'approved');
  journal.runs.openEpoch({ run: RUN, epoch: 1, roster: D('b'), fingerprint: D('c'), e0: D('d') });
  return journal;
}

function filesOf(at: string): string[] {
  return readdirSync(at, { recursive: true, withFileTypes: true }).flatMap((entry) =>
    entry.isFile() ? [join(entry.parentPath, entry.name)] : [],
  );
}

/** Runs built code in another process until it prints a line; the build is part of `npm test`. */
async function startChild(code: string): Promise<ChildProcess> {
  const dist = (file: string) => JSON.stringify(new URL(`../../dist/journal/${file}`, import.meta.url).href);
  const script = `import { Journal } from ${dist('journal.js')}; import { lockFolder } from ${dist('folder.lock.js')};
    import { KeyStore } from ${dist('../keys/key.store.js')}; ${code}
    process.stdout.write('ready\\n'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout!, 'data');
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

describe('when the agent is killed between storing and sending', () => {
  it('still knows the pair, the act, T, A and the vector', async () => {
    openWithEpoch().close();
    const child = await startChild(`
      const { identityFromSeed, loadCrypto } = await import(${JSON.stringify(import.meta.resolve('@coferment/crypto').replace('/src/index.ts', '/dist/index.js'))});
      await loadCrypto();
      const vault = KeyStore.open(${JSON.stringify(vaultFolder)}, 'correct horse');
      const journal = Journal.open(${JSON.stringify(path())}, { identity: identityFromSeed(new Uint8Array(32).fill(7)), vault });
      journal.rounds.keepVector('${D('a')}', 'update', '${D('1')}', { coefficients: new BigUint64Array([5n, 6n]), samples: 3, batches: 2, dataReport: '7d'.repeat(32), salt: new Uint8Array(32), backend: 'wasm', saturated: 0 });
      journal.rounds.reserveEncryption('${RUN}', 1, 7, 2, 3);
      journal.rounds.bindFreeze({ consortium: 'acme', run: '${RUN}', sum: 7, kind: 'update', modelIn: '${D('1')}', t: '${D('2')}', set: '${D('3')}', sites: ['a', 'b', 'c'] });
      journal.statements.sign('${RUN}', 'sealing-key', '1', { consortium: 'acme', run: '${RUN}', epoch: 1, site: 'a', key: '${D('4').repeat(38)}' });`);
    await kill(child);
    const journal = Journal.open(path(), { identity: identityFromSeed(SEED), vault });
    expect(() => journal.rounds.reserveEncryption(RUN, 1, 7, 2, 1)).toThrow(/does not come after/);
    expect(() => journal.rounds.reserveEncryption(RUN, 1, 7, 1, 1)).toThrow(/does not come after/);
    expect(journal.rounds.vector(D('a'), 'update', D('1'))?.coefficients).toEqual(new BigUint64Array([5n, 6n]));
    const freeze = {
      consortium: 'acme',
      run: RUN,
      sum: 7,
      kind: 'update' as const,
      modelIn: D('1'),
      t: D('2'),
      set: D('3'),
      sites: ['a', 'b', 'c'],
    };
    expect(() => journal.rounds.bindFreeze({ ...freeze, t: D('9') })).toThrow(/another T/);
    expect(() => journal.rounds.bindFreeze({ ...freeze, sum: 8, t: D('8'), set: D('9'), sites: ['a', 'b'] })).toThrow(/difference/);
    const act = journal.statements.find(RUN, 'sealing-key', '1');
    expect(
      journal.statements.sign(RUN, 'sealing-key', '1', { consortium: 'acme', run: RUN, epoch: 1, site: 'a', key: D('5').repeat(38) }),
    ).toEqual(act);
    journal.close();
  });
});

describe('the data folder', () => {
  it('belongs to one process, and is free again when that one is killed', async () => {
    const child = await startChild(`globalThis.lock = lockFolder(${JSON.stringify(folder)});`);
    expect(() => lockFolder(folder)).toThrow(new RegExp(`process ${child.pid}, started 20`));
    await kill(child);
    lockFolder(folder).release();
  });
});

describe('what may happen once', () => {
  it('counts blocks of all purposes to the limit and no further', () => {
    const journal = openWithEpoch();
    journal.rounds.reserveEncryption(RUN, 1, 1, 1, MAX_BLOCKS_PER_EPOCH - 1);
    expect(() => journal.rounds.reserveEncryption(RUN, 1, 2, 1, 2)).toThrow(/would pass the limit/);
    expect(journal.rounds.lastEncrypted(RUN)).toEqual({ sum: 1, attempt: 1 });
    journal.rounds.reserveEncryption(RUN, 1, 2, 1, 1);
    expect(() => journal.rounds.reserveEncryption(RUN, 1, 3, 1, 1)).toThrow(/would pass the limit/);
    journal.close();
  });

  it('lets a set of one open a confirm sum, under its own T only', () => {
    const journal = openWithEpoch();
    const confirm = { consortium: 'acme', run: RUN, kind: 'confirm' as const, modelIn: 'none', sites: ['a'], set: D('1') };
    journal.rounds.bindFreeze({ ...confirm, sum: 1, t: D('1') });
    journal.rounds.bindFreeze({ ...confirm, sum: 2, t: D('2'), set: D('2'), sites: ['b'] });
    expect(() => journal.rounds.bindFreeze({ ...confirm, sum: 2, t: D('3') })).toThrow(/another T/);
    journal.close();
  });

  it('counts an update and an evaluation of one model over one set, and statistics over their own', () => {
    const journal = openWithEpoch();
    const freeze = { consortium: 'acme', run: RUN, modelIn: D('1'), sites: ['a', 'b', 'c'], set: D('1') };
    const smaller = { sites: ['a', 'b'], set: D('2') };
    journal.rounds.bindFreeze({ ...freeze, kind: 'update', sum: 5, t: D('5') });
    expect(() => journal.rounds.bindFreeze({ ...freeze, ...smaller, kind: 'evaluate', sum: 6, t: D('6') })).toThrow(/difference/);
    journal.rounds.bindFreeze({ ...freeze, kind: 'evaluate', sum: 7, t: D('7') });
    journal.rounds.bindFreeze({ ...freeze, ...smaller, kind: 'evaluate', modelIn: D('2'), sum: 8, t: D('8') });
    expect(() => journal.rounds.bindFreeze({ ...freeze, kind: 'update', modelIn: D('2'), sum: 9, t: D('9') })).toThrow(/difference/);
    journal.rounds.bindFreeze({ ...freeze, ...smaller, kind: 'statistics', sum: 10, t: D('a') });
    journal.close();
  });

  it('counts the statistics of a consortium over one set, in every run of every plan', () => {
    const journal = openWithEpoch();
    const freeze = { consortium: 'acme', kind: 'statistics' as const, modelIn: 'none' };
    journal.rounds.bindFreeze({ ...freeze, run: RUN, sum: 4, t: D('4'), sites: ['a', 'b', 'c'], set: D('1') });
    const later = { ...freeze, run: 'r1-ffffffffffffffff', sum: 5 };
    expect(() => journal.rounds.bindFreeze({ ...later, t: D('5'), sites: ['a', 'b', 'c', 'd'], set: D('2') })).toThrow(/difference/);
    journal.rounds.bindFreeze({ ...later, sum: 6, t: D('6'), sites: ['a', 'b', 'c'], set: D('1') });
    journal.close();
  });

  it('draws the blocks of a sum once, also over a restart, and for one aggregate only', () => {
    openWithEpoch().close();
    const first = Journal.open(path());
    expect(first.checks.drawOnce(RUN, 5, D('1'), () => [2, 30, 41])).toEqual([2, 30, 41]);
    first.close();
    const journal = Journal.open(path());
    expect(journal.checks.drawOnce(RUN, 5, D('1'), () => [0, 1, 3])).toEqual([2, 30, 41]);
    expect(() => journal.checks.drawOnce(RUN, 5, D('2'), () => [0, 1, 3])).toThrow(/two aggregates of sum 5/);
    expect(journal.checks.drawOnce(RUN, 6, D('2'), () => [0, 1, 3])).toEqual([0, 1, 3]);
    journal.close();
  });

  it('keeps the first vector of a key, and applies sums in order', () => {
    const journal = openWithEpoch();
    const vector = {
      coefficients: new BigUint64Array([1n]),
      samples: 1,
      batches: 2,
      dataReport: '7d'.repeat(32),
      salt: new Uint8Array(32),
      backend: 'cpu' as const,
      saturated: 0,
    };
    journal.rounds.keepVector(D('a'), 'update', D('1'), vector);
    const kept = journal.rounds.keepVector(D('a'), 'update', D('1'), { ...vector, coefficients: new BigUint64Array([2n]) });
    expect(kept.coefficients).toEqual(vector.coefficients);
    journal.models.advance(RUN, 0, { appliedSum: 2, state: null });
    expect(() => journal.models.advance(RUN, 0, { appliedSum: 3, state: null })).toThrow(/cannot be applied/);
    journal.close();
  });

  it('refuses a second roster for an epoch, and another site list for a run', () => {
    const journal = openWithEpoch();
    expect(() => journal.runs.openEpoch({ run: RUN, epoch: 1, roster: D('9'), fingerprint: D('c'), e0: D('d') })).toThrow(/is refused/);
    expect(() => journal.runs.announce(RUN, D('a'), 1, ['a', 'b'])).toThrow(/other sites/);
    journal.close();
  });
});

describe('approvals', () => {
  it('count when they come before the plan, and are then bound to its sites', () => {
    const people = Journal.open(path());
    people.approvals.decidePlan(D('a'), 1, 'approved');
    const agent = Journal.open(path(), { identity: generateIdentity() });
    expect(agent.approvals.planDecision(D('a'), 2, ['a', 'b', 'c'])).toBe('undecided');
    expect(agent.approvals.planDecision(D('a'), 1, ['a', 'b', 'c'])).toBe('approved');
    expect(agent.approvals.planDecision(D('a'), 1, ['a', 'b'])).toBe('other-sites');
    people.approvals.decidePlan(D('a'), 1, 'rejected', ['a', 'b', 'c']);
    expect(agent.approvals.planDecision(D('a'), 1, ['a', 'b', 'c'])).toBe('rejected');
    people.close();
    agent.close();
  });

  it('of a second run are never given before its site list is known', () => {
    const journal = Journal.open(path());
    expect(() => journal.approvals.decidePlan(D('a'), 2, 'approved')).toThrow(/has not been announced yet/);
    journal.approvals.decidePlan(D('a'), 2, 'approved', ['a', 'b', 'c']);
    expect(journal.approvals.planDecision(D('a'), 2, ['a', 'b'])).toBe('other-sites');
    expect(journal.approvals.planDecision(D('a'), 2, ['a', 'b', 'c'])).toBe('approved');
    journal.close();
  });

  it('of a roster follow the order of use, not the clock, and are used up together', () => {
    let clock = 1000;
    const journal = Journal.open(path(), {}, () => (clock -= 10));
    const { approvals } = journal;
    for (const digit of ['1', '1', '2']) approvals.approveRoster(D(digit));
    expect([approvals.useRoster(D('1')), approvals.useRoster(D('2'))]).toEqual([true, true]);
    expect(approvals.lastRoster()).toBe(D('2'));
    expect(approvals.useRoster(D('1'))).toBe(false);
    approvals.approveRoster(D('2'));
    approvals.approveRoster(D('3'));
    expect(approvals.useRoster(D('3'))).toBe(true);
    expect(approvals.useRoster(D('2'))).toBe(false);
    journal.close();
  });

  it('of a roster are needed again whenever it differs from the last one', () => {
    const journal = Journal.open(path());
    expect(journal.approvals.useRoster(D('1'))).toBe(false);
    journal.approvals.approveRoster(D('1'));
    expect([journal.approvals.useRoster(D('1')), journal.approvals.useRoster(D('1'))]).toEqual([true, true]);
    journal.approvals.approveRoster(D('2'));
    expect(journal.approvals.useRoster(D('2'))).toBe(true);
    expect(journal.approvals.useRoster(D('1'))).toBe(false);
    journal.close();
  });
});

describe('vectors', () => {
  const vector = {
    samples: 987_654_321,
    batches: 2,
    dataReport: '7d'.repeat(32),
    salt: new Uint8Array(32).fill(0xa5),
    backend: 'cpu' as const,
    saturated: 0,
  };

  it('lie in no file of the folder in the clear, and an erased one forbids another for its key', () => {
    const text = 'a planted vector of this site!!!';
    const coefficients = new BigUint64Array(new Uint8Array(Buffer.from(text)).buffer);
    const found = () =>
      filesOf(folder).filter((file) => {
        const bytes = readFileSync(file);
        return bytes.includes(text) || bytes.includes(Buffer.from(vector.salt)) || bytes.includes('987654321');
      });
    const journal = openWithEpoch();
    journal.rounds.keepVector(D('a'), 'update', D('1'), { ...vector, coefficients });
    expect(found()).toEqual([]);
    expect(journal.rounds.vector(D('a'), 'update', D('1'))).toEqual({ ...vector, coefficients });
    journal.rounds.eraseVectors(D('a'));
    expect(journal.rounds.vector(D('a'), 'update', D('1'))).toBeUndefined();
    expect(() => journal.rounds.keepVector(D('a'), 'update', D('1'), { ...vector, coefficients: new BigUint64Array([1n]) })).toThrow(
      /second one is refused/,
    );
    expect(journal.rounds.keepVector(D('a'), 'update', D('1'), { ...vector, coefficients }).coefficients).toEqual(coefficients);
    journal.close();
    expect(found()).toEqual([]);
  });
});

describe('the file', () => {
  it.skipIf(process.platform === 'win32')('is for its owner only, with its log and the lock', () => {
    chmodSync(folder, 0o755);
    const journal = openWithEpoch();
    const lock = lockFolder(folder);
    const modes = Object.fromEntries(readdirSync(folder).map((name) => [name, (statSync(join(folder, name)).mode & 0o777).toString(8)]));
    expect(modes).toEqual({
      'journal.sqlite': '600',
      'journal.sqlite-wal': '600',
      'journal.sqlite-shm': '600',
      'lock.sqlite': '600',
      'lock.sqlite-journal': '600',
      'lock.json': '600',
    });
    expect((statSync(folder).mode & 0o777).toString(8)).toBe('700');
    lock.release();
    journal.close();
  });

  it('of a newer agent is refused', () => {
    Journal.open(path()).close();
    const raw = new DatabaseSync(path());
    raw.exec('PRAGMA user_version = 99');
    raw.close();
    expect(() => Journal.open(path())).toThrow(/version 99/);
  });

  it('cannot sign without the keys of the site', () => {
    const journal = Journal.open(path());
    expect(() =>
      journal.statements.sign(RUN, 'sealing-key', '1', { consortium: 'acme', run: RUN, epoch: 1, site: 'a', key: D('4').repeat(38) }),
    ).toThrow(/cannot sign/);
    journal.close();
  });
});
