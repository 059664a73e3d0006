import { canonicalBytes } from '@coferment/consortium';
import { bytesToHex, generateIdentity } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { checkHeads, readNext, readRecord } from './record.chain.js';
import { BEFORE_THE_FIRST, hashOf, lineOf, parseLine, recordKinds, type RecordKind, type RecordLine } from './record.entry.js';
import { exportRecord, verifyExport } from './record.export.js';
import { type RecordHead, signHead } from './record.head.js';
import { everyFact } from './record.fixture.js';

const identity = generateIdentity();
const key = bytesToHex(identity.publicKey);
const title = { consortium: 'acme', site: 'a', identityKey: key };
const facts = everyFact(key);

function recordOf(told: typeof facts): RecordLine[] {
  const lines: RecordLine[] = [];
  for (const fact of told) {
    const previous = lines.at(-1)?.hash ?? BEFORE_THE_FIRST;
    const seq = lines.length + 1;
    const line = lineOf(fact, { seq, time: 1_793_000_000_000 + seq, previous });
    lines.push({ seq, line, hash: hashOf(previous, line) });
  }
  return lines;
}

const lines = recordOf(facts);
const withLine = (index: number, change: Partial<RecordLine>) => lines.map((line, at) => (at === index ? { ...line, ...change } : line));
const withByte = (text: string, at: number) => text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ 1) + text.slice(at + 1);

describe('a line of the record', () => {
  const [good] = lines as [RecordLine];
  it.each([
    ['not JSON', '{"seq":1'],
    ['no object', '7'],
    ['null', 'null'],
    ['of an unknown kind', good.line.replace('"opened"', '"closed"')],
    ['of an inherited name', good.line.replace('"opened"', '"constructor"')],
    ['not in canonical form', good.line.replace('{', '{ ')],
    ['with a field that its kind does not have', good.line.replace('"kind"', '"batch":"B-1","kind"')],
    ['without one of its fields', good.line.replace(/"journal":"[^"]+",/, '')],
    ['of another schema', good.line.replace('"schema":1', '"schema":2')],
  ])('is refused when it is %s', (_, line) => {
    expect(line).not.toBe(good.line);
    expect(() => parseLine(line)).toThrow();
  });

  it('is read back as it was written, whatever its kind', () => {
    expect(new Set(facts.map(({ kind }) => kind))).toEqual(new Set(Object.keys(recordKinds) as RecordKind[]));
    const { entries, findings } = readRecord(lines);
    expect(findings).toEqual([]);
    facts.forEach((fact, index) => expect(entries[index]).toMatchObject(fact));
  });
});

describe('one changed byte', () => {
  it('of any line or hash is found, and the entry is named', () => {
    let changed = 0;
    const isFound = (index: number, broken: Partial<RecordLine>) => {
      changed += 1;
      const line = { ...lines[index]!, ...broken };
      try {
        readNext(line, { seq: index + 1, previous: lines[index - 1]?.hash ?? BEFORE_THE_FIRST });
        return false;
      } catch {
        return true;
      }
    };
    for (const [index, { line, hash }] of lines.entries()) {
      for (let at = 0; at < line.length; at++) expect(isFound(index, { line: withByte(line, at) }), `byte ${at} of ${line}`).toBe(true);
      for (let at = 0; at < hash.length; at++) expect(isFound(index, { hash: withByte(hash, at) })).toBe(true);
      const { findings } = readRecord(withLine(index, { line: withByte(line, line.length - 2) }));
      expect(findings).toMatchObject([{ where: `entry ${index + 1} of the record` }]);
    }
    expect(changed).toBeGreaterThan(8000);
  });

  it('of an exported record is refused, whichever it is', () => {
    // The note of the first head stands in the record that it is exported from.
    const noted = recordOf([
      facts[0]!,
      facts.find(({ kind }) => kind === 'joined')!,
      { kind: 'head-signed', head: 1 },
      { kind: 'agent-stopped' },
    ]);
    const bytes = exportRecord(title, noted, [headOf(noted, 1, 2), headOf(noted, 2, 4)]);
    expect(verifyExport(bytes, key).findings).toEqual([]);
    for (let at = 0; at < bytes.length; at++) {
      const broken = Uint8Array.from(bytes);
      broken[at]! ^= 1 + (at % 7);
      expect(isRefused(broken), `byte ${at}`).toBe(true);
    }
    for (const cut of [0, 1, 200, bytes.length - 1]) expect(isRefused(bytes.subarray(0, cut))).toBe(true);
    expect(isRefused(bytes, bytesToHex(generateIdentity().publicKey))).toBe(true);
  });
});

function headOf(record: readonly RecordLine[], head: number, seq: number): RecordHead {
  return signHead({ head, seq, hash: record[seq - 1]!.hash, time: 1_793_000_000_000 }, identity);
}

function isRefused(bytes: Uint8Array, identityKey = key): boolean {
  try {
    return verifyExport(bytes, identityKey).findings.length > 0;
  } catch {
    return true;
  }
}

describe('a record that was rewritten', () => {
  const [first, second, third] = [lines[0]!, lines[1]!, lines[2]!];
  it.each([
    ['an entry taken out', [first, third]],
    ['an entry taken out and the others renumbered', [first, { ...third, seq: 2 }]],
    ['two entries swapped', [first, { ...third, seq: 2 }, { ...second, seq: 3 }]],
    ['an entry twice', [first, second, { ...second, seq: 3 }]],
    ['nothing in it', []],
    ['its first entry taken out', [second]],
  ])('does not hold with %s', (_, rewritten) => expect(readRecord(rewritten).findings).toHaveLength(1));

  it('is told from the signed one by its heads, also when every hash was computed again', () => {
    const told = [facts[0]!, ...facts.slice(2, 8), { kind: 'head-signed' as const, head: 1 }];
    const true_ = recordOf(told);
    const head = headOf(true_, 1, 7);
    const check = (record: RecordLine[], heads: RecordHead[]) =>
      checkHeads(
        heads,
        readRecord(record).entries,
        record.map(({ hash }) => hash),
        identity.publicKey,
      );
    expect(check(true_, [head])).toEqual([]);
    const other = recordOf(told.map((fact) => (fact.kind === 'joined' ? { ...fact, consortium: 'other' } : fact)));
    expect(readRecord(other).findings).toEqual([]);
    expect(check(other, [head])[0]?.problem).toMatch(/is not the one that was signed/);
    expect(
      check(true_.slice(0, 5), [head])
        .map(({ problem }) => problem)
        .join(),
    ).toMatch(/cut off/);
    expect(
      check(true_, [])
        .map(({ problem }) => problem)
        .join(),
    ).toMatch(/it is missing/);
    expect(check(true_.slice(0, 7), [head])[0]?.problem).toMatch(/does not note it/);
    for (const changed of [{ time: 5 }, { seq: 6 }, { head: 2 }, { hash: head.hash.replace(/^./, '0') }, { signature: 'f'.repeat(128) }])
      expect(check(true_, [{ ...head, ...changed }]).length, JSON.stringify(changed)).toBeGreaterThan(0);
  });
});

describe('an exported record', () => {
  it('ends with a signed head, and is refused when it does not', () => {
    expect(() => exportRecord(title, lines, [])).toThrow(/no head/);
    const noted = recordOf([facts[0]!, facts.find(({ kind }) => kind === 'joined')!, { kind: 'agent-stopped' }]);
    const longer = [
      { schema: 1, what: 'coferment site record', ...title },
      ...noted.map(({ hash, line }) => ({ hash, line })),
      headOf(noted, 1, 2),
    ];
    const bytes = Buffer.from(longer.map((value) => `${Buffer.from(canonicalBytes(value)).toString()}\n`).join(''));
    expect(
      verifyExport(bytes, key)
        .findings.map(({ problem }) => problem)
        .join(),
    ).toMatch(/the file has 3 entries/);
  });
});
