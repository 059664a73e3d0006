import { Instruction } from '@coferment/proto';
import { describe, expect, it } from 'vitest';
import { parseInstruction, parseRunViews } from './instruction.parser.js';

const RUN = 'r1-0123456789abcdef';
const D = 'a'.repeat(64);
const name = { run: RUN, epoch: 1, sum: 5, kind: 'update', round: 1, attempt: 1 };
const wire = (kind: object) => Instruction.fromPartial({ kind: kind as never });
const reason = (kind: object) => {
  const parsed = parseInstruction(wire(kind));
  return parsed.kind === 'malformed' ? parsed.reason : 'accepted';
};

describe('an instruction', () => {
  it('is read with the run it belongs to, and named by its bytes', () => {
    const first = parseInstruction(wire({ $case: 'prepareSum', prepareSum: { name } }));
    const second = parseInstruction(wire({ $case: 'prepareSum', prepareSum: { name: { ...name, attempt: 2 } } }));
    expect(first).toMatchObject({ kind: 'prepareSum', run: RUN });
    expect(first.id).not.toBe(second.id);
  });

  it.each([
    ['no kind', {}, /does not know/],
    ['a missing name', { $case: 'prepareSum', prepareSum: {} }, /prepareSum.name/],
    ['another run id', { $case: 'prepareSum', prepareSum: { name: { ...name, run: '../../etc' } } }, /name.run/],
    ['sum 0', { $case: 'prepareSum', prepareSum: { name: { ...name, sum: 0 } } }, /name.sum/],
    ['a huge attempt', { $case: 'prepareSum', prepareSum: { name: { ...name, attempt: 4_000_000_000 } } }, /name.attempt/],
    ['an unknown kind of sum', { $case: 'prepareSum', prepareSum: { name: { ...name, kind: 'open' } } }, /name.kind/],
    ['a short nonce', { $case: 'encrypt', encrypt: { name, nonces: [{ site: 'a', nonce: 'ff' }] } }, /nonces.0.nonce/],
    ['a hostile site id', { $case: 'encrypt', encrypt: { name, nonces: [{ site: 'A/..', nonce: D }] } }, /nonces.0.site/],
    [
      'too many nonces',
      { $case: 'encrypt', encrypt: { name, nonces: Array.from({ length: 129 }, () => ({ site: 'a', nonce: D })) } },
      /encrypt.nonces/,
    ],
    [
      'a digest in capitals',
      { $case: 'approvePlan', approvePlan: { run: RUN, ordinal: 1, plan: D.toUpperCase(), sites: ['a'] } },
      /approvePlan.plan/,
    ],
    ['no sums', { $case: 'attest', attest: { sums: [] } }, /attest.sums/],
    ['no dealing', { $case: 'checkDealing', checkDealing: { run: RUN, epoch: 1 } }, /checkDealing.dealing/],
    [
      'a signature of 63 bytes',
      { $case: 'closeRun', closeRun: { run: RUN, closing: { payload: Buffer.from('{}'), keyid: D, signature: Buffer.alloc(63) } } },
      /closing.signature/,
    ],
    [
      'a payload of more than 256 KiB',
      { $case: 'closeRun', closeRun: { run: RUN, closing: { payload: Buffer.alloc(262_145), keyid: D, signature: Buffer.alloc(64) } } },
      /closing.payload/,
    ],
  ])('with %s is refused by name', (_what, kind, expected) => {
    expect(reason(kind)).toMatch(expected);
  });
});

describe('views of runs', () => {
  it('cannot write to a terminal', () => {
    const view = {
      run: 'r1-0123456789abcdef',
      plan: 'a'.repeat(64),
      state: '\u001b[2Jrunning',
      round: 1,
      rounds: 2,
      roundState: '\u009b2J',
      waitingFor: ['b\n\u001b[2J'],
      deadlineMs: 0,
    };
    expect(parseRunViews([view as never])).toMatchObject([{ state: ' [2Jrunning', roundState: ' 2J', waitingFor: ['b  [2J'] }]);
  });

  it('are left out when malformed', () => {
    const view = {
      run: RUN,
      plan: D,
      state: 'running',
      round: 1,
      rounds: 2,
      roundState: '',
      waitingFor: [],
      deadlineMs: 0,
      withoutThisSite: false,
      cause: '',
    };
    expect(parseRunViews([view, { ...view, run: 'x' }, { ...view, deadlineMs: -1 }])).toEqual([view]);
  });
});
