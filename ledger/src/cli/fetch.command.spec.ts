import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { digest } from '@coferment/crypto';
import { objectPath } from '../export/index.js';
import { LyingServer, rearranged, servedFiles, upTo } from '../http/lying-server.fixture.js';
import { encodeVkey, publicKeyFromSeed, verifierKey } from '../note/index.js';
import { LOG_VKEY, ORIGIN, sampleLedger } from '../verify/sample-ledger.fixture.js';
import { runAudit } from './audit.command.js';
import { progressLine } from './progress.line.js';

const ledger = sampleLedger();
const SIZE = ledger.entries.length;
let server: LyingServer;
let folder: string;
const path = (...names: string[]) => join(folder, ...names);
const grown = (size: number) => servedFiles(rearranged(ledger, upTo(size)));

async function audit(...words: string[]) {
  let out = '';
  let err = '';
  const code = await runAudit(words, { out: (text) => void (out += text), err: (text) => void (err += text) });
  return { code, out, err };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fetch-'));
  server = await LyingServer.start();
});
afterEach(() => server.lies.clear());
afterAll(async () => {
  await server.stop();
  await rm(folder, { recursive: true });
});

describe('coferment-audit fetch', () => {
  it('copies, goes on, and what it copied verifies like what is served', async () => {
    server.files = await grown(50);
    const first = await audit('fetch', server.url, path('copy'), '--key', LOG_VKEY);
    expect(first).toMatchObject({ code: 0, err: '', out: expect.stringContaining(`${ORIGIN}: 50 new entries, now 50`) });
    server.files = await grown(SIZE);
    const second = await audit('fetch', `${server.url}/`, path('copy'), '--json', '--with-objects');
    expect(second.code).toBe(0);
    expect(JSON.parse(second.out)).toMatchObject({
      kind: 'copied',
      before: '50',
      served: String(SIZE),
      keyChecked: false,
      objects: { copied: 0 },
    });
    expect((await audit('fetch', server.url, path('copy'))).out).toContain(`nothing new; ${SIZE} entries\nThe key was not checked`);
    for (const target of [path('copy'), server.url]) {
      const { code, out } = await audit('verify', target, '--key', LOG_VKEY);
      expect(out, target).toContain('This ledger holds.');
      expect(code).toBe(0);
    }
  });

  it('asks for no object to verify what is served, and says so', async () => {
    server.files = new Map(await grown(SIZE)).set(objectPath(digest('fixture', 'sum', 6)), Buffer.from('not the sum'));
    server.asked.length = 0;
    const { code, out } = await audit('verify', server.url, '--key', LOG_VKEY);
    expect(code).toBe(0);
    expect(out).toContain('not looked at over the network');
    expect((await audit('show', server.url, '--key', LOG_VKEY, '--json')).out).toContain('not looked at over the network');
    expect(server.asked.filter((path) => path.startsWith('objects/'))).toEqual([]);
  });

  it('says at which entry a server contradicts the copy, with evidence that the next command checks', async () => {
    server.files = await grown(SIZE);
    await audit('fetch', server.url, path('fork'), '--key', LOG_VKEY);
    server.files = await servedFiles(rearranged(ledger, upTo(SIZE).toSpliced(40, 1)));
    const { code, out } = await audit('fetch', server.url, path('fork'), '--key', LOG_VKEY);
    expect(code).toBe(1);
    expect(out).toMatch(/The first entry that differs is 40: the copy has \S+( of \S+)?, the server has \S+/);
    expect(out).toContain('The copy stays as it is');
    const file = /coferment-audit evidence (\S+)/.exec(out)![1]!;
    expect(await audit('evidence', file, '--key', LOG_VKEY)).toMatchObject({
      code: 1,
      out: expect.stringContaining('different entries number 40'),
    });
    expect((await audit('verify', path('fork'), '--key', LOG_VKEY)).code).toBe(0);
  });

  it('says that a server has gone back, or serves what its checkpoint does not commit to', async () => {
    server.files = await grown(SIZE);
    await audit('fetch', server.url, path('back'), '--key', LOG_VKEY);
    server.files = await grown(SIZE - 1);
    const back = await audit('fetch', server.url, path('back'), '--key', LOG_VKEY);
    expect(back).toMatchObject({ code: 1, out: expect.stringContaining('the server shows an older checkpoint') });
    server.files = new Map(await grown(SIZE)).set('tile/entries/000.p/126', new Uint8Array(3));
    const refused = await audit('fetch', server.url, path('new'), '--key', LOG_VKEY, '--json');
    expect(refused.code).toBe(1);
    expect(JSON.parse(refused.out)).toMatchObject({ kind: 'refused', code: 'malformed-tile' });
    expect(existsSync(path('new', 'checkpoint'))).toBe(false);
  });

  it('exits 2 where nothing could be judged', async () => {
    server.files = new Map();
    for (const [words, message] of [
      [['fetch', server.url, path('none'), '--key', LOG_VKEY], 'is a ledger served there?'],
      [['fetch', server.url, path('none')], 'has no policy.txt'],
      [['fetch', path('copy'), path('none')], 'is not a URL'],
      [['fetch', server.url, path('none'), '--max-gib', '0'], 'whole number'],
      [['fetch', server.url, path('none'), '--ca', path('nothing')], 'ENOENT'],
      [['verify', `${server.url}/elsewhere`, '--key', LOG_VKEY], ''],
    ] as const) {
      const { code, err } = await audit(...words);
      expect(code, words.join(' ')).toBe(2);
      expect(err).toContain(message);
    }
    server.lies.set('checkpoint', (_, response) => response.writeHead(401).end());
    expect((await audit('fetch', server.url, path('none'), '--key', LOG_VKEY)).err).toContain('answers 401');
  });

  it('takes a key from outside only as a log key of that ledger', async () => {
    server.files = await grown(10);
    const other = encodeVkey(verifierKey('log', ORIGIN, publicKeyFromSeed(new Uint8Array(32).fill(7))));
    expect((await audit('fetch', server.url, path('other'), '--key', other)).code).toBe(1);
    expect(existsSync(path('other', 'checkpoint'))).toBe(false);
  });
});

describe('coferment-audit evidence', () => {
  it('exits 0 when both halves agree, and 2 for what proves nothing or is no evidence', async () => {
    const [one, other] = [await grown(10), await grown(9)].map((files) => Buffer.from(files.get('checkpoint')!).toString());
    const file = async (first: string, second: string) => {
      await writeFile(path('evidence.json'), JSON.stringify({ format: 'coferment-split-view/1', origin: ORIGIN, first, second }));
      return path('evidence.json');
    };
    expect((await audit('evidence', await file(one!, one!), '--key', LOG_VKEY)).code).toBe(0);
    const open = await audit('evidence', await file(one!, other!), '--key', LOG_VKEY, '--json');
    expect(open.code).toBe(2);
    expect(JSON.parse(open.out)).toMatchObject({ verdict: 'open', sizes: ['10', '9'] });
    await writeFile(path('no-evidence'), 'two notes');
    expect(await audit('evidence', path('no-evidence'), '--key', LOG_VKEY)).toMatchObject({
      code: 2,
      err: expect.stringContaining('not evidence'),
    });
  });
});

describe('progress', () => {
  it('is said after two seconds, once a second, and leaves no line on a terminal', () => {
    let now = 0;
    for (const [isTerminal, expected] of [
      [false, ['at 2000\n', 'at 3000\n']],
      [true, ['\r\u001b[Kat 2000', '\r\u001b[Kat 3000', '\r\u001b[K']],
    ] as const) {
      now = 0;
      const said: string[] = [];
      const line = progressLine(
        (text) => void said.push(text),
        isTerminal,
        () => now,
      );
      for (now = 0; now <= 3500; now += 250) line.show(`at ${now}`);
      line.end();
      expect(said).toEqual(expected);
    }
  });
});
