import { describe, expect, it } from 'vitest';
import { type LedgerAccount } from '../account/index.js';
import {
  CONSORTIUM,
  PLAN,
  StatementStream,
  accountOf,
  inRun,
  modelAfter,
  troubledRun,
  update,
} from '../account/statement.stream.fixture.js';
import { type VerificationReport, type Verdict, verifyExport } from '../verify/index.js';
import { exportSample, sampleLedger } from '../verify/sample-ledger.fixture.js';
import { policy } from '../verify/verification.fixture.js';
import { attribute, readPage, textOf } from './page.reading.fixture.js';
import { reportPage } from './report.page.js';

const nothing = await verifyExport(() => undefined, { policy });
const files = await exportSample(sampleLedger());
const holds = await verifyExport((path) => files.get(path), { policy });

const hostileText = `</td></style></svg><script>alert("1")</script>'"><img src=x onerror=alert(1)>&amp;\u202eevil\u2028`;

/** Whatever a member may write freely stands in here, written by one who means harm. */
function hostileRun(): { account: LedgerAccount; verification: VerificationReport } {
  const stream = troubledRun();
  stream.say('plan-published', { consortium: CONSORTIUM, plan: modelAfter(3), name: hostileText.slice(0, 100) });
  stream.say('charter', {
    consortium: CONSORTIUM,
    ledgerReaders: 'anyone',
    siteNames: 'plain',
    witnessQuorum: 'majority',
    witnesses: [hostileText],
  });
  stream.say('site-left', { consortium: CONSORTIUM, site: 'echo', reason: `${hostileText}${'x'.repeat(300)}` });
  const stuck = { ...inRun, e: modelAfter(0), kind: 'update' as const, sum: 9 };
  stream.say('round-stuck', { ...stuck, round: 9, reason: hostileText });
  for (const value of [3, 2])
    stream.say('evaluation', { ...inRun, round: 1, sum: 1, model: modelAfter(3 - value), metric: hostileText, value, holdoutCount: 1 });
  const checks = holds.checks.map((check) => ({ ...check, problems: [{ where: hostileText, problem: hostileText }], detail: hostileText }));
  const log = { ...holds.log!, origin: hostileText, signedBy: [hostileText] };
  return { account: accountOf(stream.statements), verification: { ...holds, verdict: 'does-not-hold', log, checks } };
}

const pages: [string, string][] = [
  ['of nothing that can be read', reportPage(nothing, accountOf([]))],
  ['of a run in which much goes wrong', reportPage(holds, accountOf(troubledRun().statements))],
  ['of a ledger whose members mean harm', reportPage(hostileRun().verification, hostileRun().account)],
  ['with openings that open nothing', reportPage(holds, accountOf(troubledRun().statements, [{ contribution: PLAN, openings: [] }]))],
];

const known = new Set(
  'html head meta title style body main h1 h2 h3 p section strong dl dt dd span ul li table caption thead tbody tr th td div figure figcaption code'.split(
    ' ',
  ),
);
const knownInCharts = new Set('svg title desc rect path text g defs clipPath tspan'.split(' '));

describe.each(pages)('a report %s', (_, page) => {
  const { errors, elements } = readPage(page);
  const all = (...names: string[]) => elements.filter(({ tagName }) => names.includes(tagName));

  it('is valid HTML', () => {
    expect(errors).toEqual([]);
  });

  it('holds no element, and no attribute, that could run or load anything', () => {
    for (const { tagName, namespaceURI, attrs } of elements) {
      expect((namespaceURI.endsWith('svg') ? knownInCharts : known).has(tagName), tagName).toBe(true);
      for (const { name, value } of attrs) {
        expect(name).not.toMatch(/^on|href|src|action|formaction|data$/i);
        if (name !== 'clip-path') expect(value).not.toMatch(/url\(|https?:|javascript:/i);
        else expect(value).toMatch(/^url\(#[\w-]+\)$/);
      }
    }
    expect(all('style').map(textOf).join('')).not.toMatch(/url\(|@import|https?:/i);
  });

  it('forbids in its head, before anything else of it is read, to load anything', () => {
    const [charset, csp] = all('meta');
    expect(attribute(charset!, 'charset')).toBe('utf-8');
    expect(attribute(csp!, 'http-equiv')).toBe('Content-Security-Policy');
    expect(attribute(csp!, 'content')).toMatch(/^default-src 'none'; style-src 'unsafe-inline'/);
  });

  it('shows no character that turns text around or that nobody sees', () => {
    expect(page).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u2028\u2029\u200b-\u200f]/);
  });

  it('can be read by whoever does not see it', () => {
    expect(attribute(all('html')[0]!, 'lang')).toBe('en');
    const levels = all('h1', 'h2', 'h3').map(({ tagName }) => Number(tagName[1]));
    expect(levels[0]).toBe(1);
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    for (const [index, level] of levels.entries()) expect(level - (levels[index - 1] ?? 0)).toBeLessThanOrEqual(1);
    for (const cell of all('th')) expect(['col', 'row']).toContain(attribute(cell, 'scope'));
    expect(all('caption')).toHaveLength(all('table').length);
    const ids = elements.flatMap((element) => attribute(element, 'id') ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const chart of all('svg')) {
      expect(attribute(chart, 'role')).toBe('img');
      expect(ids).toContain(attribute(chart, 'aria-labelledby'));
      expect(ids).toContain(attribute(chart, 'aria-describedby'));
    }
  });
});

describe('a report', () => {
  const account = accountOf(troubledRun().statements);

  it('shows what members wrote word for word, as text', () => {
    const { account: theirs, verification } = hostileRun();
    const text = readPage(reportPage(verification, theirs))
      .elements.filter(({ tagName }) => tagName === 'td')
      .map(textOf);
    expect(text.some((cell) => cell.includes(`left: </td></style></svg><script>alert("1")</script>'"><img`))).toBe(true);
    expect(text.some((cell) => cell.includes('&amp;<U+202E>evil<U+2028>'))).toBe(true);
  });

  it('is the same, byte for byte, for the same ledger', () => {
    const pageOf = ({ account: theirs, verification }: ReturnType<typeof hostileRun>) => reportPage(verification, theirs);
    expect(pageOf(hostileRun())).toBe(pageOf(hostileRun()));
  });

  it.each<[Verdict, string]>([
    ['holds', 'This ledger holds.'],
    ['self-consistent', 'its key was not checked'],
    ['could-not-check', 'could not be checked'],
    ['does-not-hold', 'Do not rely on it'],
  ])('says first what came of the checks: %s', (verdict, words) => {
    const { elements } = readPage(reportPage({ ...holds, verdict }, account));
    const outcome = elements.find((element) => attribute(element, 'class')?.startsWith('outcome') === true)!;
    expect(textOf(outcome)).toContain(words);
    expect(elements.indexOf(outcome)).toBeLessThan(elements.findIndex(({ tagName }) => tagName === 'h2'));
  });

  it('names the checkpoint, every exclusion with its reason, and the same numbers in chart and table', () => {
    const { elements } = readPage(reportPage(holds, account));
    const text = textOf(elements[0]!);
    expect(text).toContain(holds.log!.root);
    for (const excluded of ['delta (late)', 'echo (dropped)', 'charlie (absent), delta (refused)']) expect(text).toContain(excluded);
    const [chart] = elements.filter(({ tagName }) => tagName === 'desc').map(textOf);
    expect(chart).toBe(
      'alpha: counted in 1 of 3. bravo: counted in 2 of 3. charlie: counted in 2 of 3. delta: counted in 1 of 3. echo: counted in 1 of 3',
    );
    expect(text.replaceAll(/\s+/g, ' ')).toContain('What this report does not show');
  });

  it('draws the error where there are two values of one metric, and says it in a table where there is one', () => {
    const stream = troubledRun();
    const charts = () =>
      readPage(reportPage(holds, accountOf(stream.statements))).elements.filter(({ tagName }) => tagName === 'svg').length;
    const evaluate = (after: number, value: number) =>
      stream.say('evaluation', { ...inRun, round: after, sum: 1, model: modelAfter(after), metric: 'rmse', value, holdoutCount: 12 });
    evaluate(0, 2);
    expect(charts()).toBe(1);
    evaluate(1, 1.5);
    expect(charts()).toBe(2);
  });

  it('breaks a long run into charts that can be read, and stays bounded', () => {
    const stream = new StatementStream();
    stream.found(['alpha']);
    for (let round = 1; round <= 620; round++) {
      stream.upload(update(round, round), 'alpha');
      stream.freeze(update(round, round), ['alpha']);
      stream.open(update(round, round), { certificate: [], shares: [] });
    }
    const titles = readPage(reportPage(holds, accountOf(stream.statements)))
      .elements.filter(({ tagName, namespaceURI }) => tagName === 'title' && namespaceURI.endsWith('svg'))
      .map(textOf);
    expect(titles).toHaveLength(10);
    expect(titles[0]).toBe('Contributions by site, rounds 121 to 170');
  });

  it('is made for paper too', () => {
    expect(reportPage(holds, account)).toMatch(/@page \{\s+size: A4/);
  });
});
