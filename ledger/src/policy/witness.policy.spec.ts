import { describe, expect, it } from 'vitest';
import { encodeVkey, publicKeyFromSeed, verifierKey } from '../note/index.js';
import { parsePolicy, policyOfLogKey } from './index.js';

const key = (kind: 'log' | 'witness', number: number) =>
  verifierKey(kind, `${kind}${number}.example`, publicKeyFromSeed(Buffer.alloc(32, number)));
const vkey = (kind: 'log' | 'witness', number: number) => encodeVkey(key(kind, number));
const witnesses = [1, 2, 3, 4].map((number) => `witness w${number} ${vkey('witness', number)}`);

describe('a policy', () => {
  it('counts witnesses through groups of groups', () => {
    const policy = parsePolicy(
      [
        '# who must have seen it',
        `log ${vkey('log', 9)} https://ledger.example/`,
        '',
        ...witnesses,
        'group x 2 w1 w2 w3',
        ' group both all x\tw4 ',
        'quorum both',
        '',
      ].join('\n'),
    );
    expect(policy.logs).toEqual([key('log', 9)]);
    expect(policy.witnesses).toHaveLength(4);
    expect(policy.quorum).toBe('both');
    const met = (...numbers: number[]) => policy.isMetBy(policy.witnesses.filter((_, position) => numbers.includes(position + 1)));
    expect(met(1, 2, 4)).toBe(true);
    expect(met(1, 2, 3, 4)).toBe(true);
    expect(met(1, 2, 3)).toBe(false);
    expect(met(1, 4)).toBe(false);
    expect(met()).toBe(false);
  });

  it('may ask for one witness, any of several, or none', () => {
    const [first, second] = parsePolicy([...witnesses, 'group some any w1 w2', 'quorum some'].join('\n')).witnesses;
    expect(parsePolicy([...witnesses, 'group some any w1 w2', 'quorum some'].join('\n')).isMetBy([])).toBe(false);
    const single = parsePolicy([...witnesses, 'quorum w2'].join('\n'));
    expect(single.isMetBy([single.witnesses[1]!])).toBe(true);
    expect(single.isMetBy([single.witnesses[0]!])).toBe(false);
    expect([first?.name, second?.name]).toEqual(['witness1.example', 'witness2.example']);
    expect(parsePolicy('quorum none\n')).toMatchObject({ logs: [], quorum: undefined });
    expect(parsePolicy('quorum none\n').isMetBy([])).toBe(true);
    expect(policyOfLogKey(key('log', 1)).isMetBy([])).toBe(true);
  });

  it.each([
    ['no quorum', witnesses],
    ['two quorums', ['quorum none', 'quorum none']],
    ['a quorum that is not defined', ['quorum w1', ...witnesses]],
    ['a quorum of two words', [...witnesses, 'quorum w1 w2']],
    ['an unknown line', ['believe me', 'quorum none']],
    ['a key that is no key', ['log abc', 'quorum none']],
    ['no key', ['log', 'quorum none']],
    ["a witness's key for a log", [`log ${vkey('witness', 1)}`, 'quorum none']],
    ["a log's key for a witness", [`witness w ${vkey('log', 1)}`, 'quorum w']],
    ['one key under two names', [`witness a ${vkey('witness', 1)}`, `witness b ${vkey('witness', 1)}`, 'quorum none']],
    ['one name for two witnesses', [`witness a ${vkey('witness', 1)}`, `witness a ${vkey('witness', 2)}`, 'quorum none']],
    ['the reserved name', [`witness none ${vkey('witness', 1)}`, 'quorum none']],
    ['a group of undefined members', ['group g any w1', 'quorum g']],
    ['a group without members', [...witnesses, 'group g all', 'quorum g']],
    ['a group that asks for more than it has', [...witnesses, 'group g 3 w1 w2', 'quorum g']],
    ['a group that asks for nothing', [...witnesses, 'group g 0 w1 w2', 'quorum g']],
    ['a witness in two groups', [...witnesses, 'group g any w1 w2', 'group h any w2 w3', 'quorum h']],
    ['a witness twice in a group', [...witnesses, 'group g 2 w1 w1', 'quorum g']],
  ])('with %s is refused', (_, lines) => {
    expect(() => parsePolicy(lines.join('\n'))).toThrow();
  });

  it("is not made of a witness's key", () => {
    expect(() => policyOfLogKey(key('witness', 1))).toThrow("a log's key is needed");
  });
});
