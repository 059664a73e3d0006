import { describe, expect, it } from 'vitest';
import { ConsortiumError } from '../errors/index.js';
import {
  AGENT_ROUND_TABLE,
  isFinal,
  legalEvents,
  MEMBERSHIP_TABLE,
  nextState,
  ROUND_TABLE,
  RUN_TABLE,
  type TransitionTable,
} from './index.js';

/** Every legal move, written out once more: a table that changes must change here too. */
const LEGAL: Record<string, string> = {
  membership: `
    invited invite invited | invited ask pending | invited enrol enrolled | invited revoke revoked
    pending ask pending | pending enrol enrolled | pending refuse revoked | pending revoke revoked
    enrolled ask enrolled | enrolled leave left | enrolled revoke revoked`,
  run: `
    draft submit awaiting-approval
    awaiting-approval start-epoch key-ceremony | awaiting-approval abort aborted
    key-ceremony start-epoch key-ceremony | key-ceremony confirm-epoch running | key-ceremony block stuck | key-ceremony abort aborted | key-ceremony fail failed
    running start-epoch key-ceremony | running block stuck | running pause paused | running complete completed | running abort aborted | running fail failed
    stuck start-epoch key-ceremony | stuck unblock running | stuck abort aborted
    paused resume running | paused abort aborted`,
  round: `
    training collect-nonces ready | training stall stalled | training abandon abandoned
    ready close-list uploading | ready stall stalled | ready abandon abandoned
    uploading new-attempt ready | uploading freeze frozen | uploading stall stalled | uploading abandon abandoned
    frozen ask-attestation attesting
    attesting certify decrypting | attesting block stuck
    decrypting combine applying | decrypting garble garbled | decrypting block stuck
    applying apply closed
    garbled replace-share decrypting | garbled block stuck
    training continue-in-epoch superseded | ready continue-in-epoch superseded | uploading continue-in-epoch superseded
    frozen continue-in-epoch superseded | attesting continue-in-epoch superseded | decrypting continue-in-epoch superseded
    garbled continue-in-epoch superseded
    stalled resume-collecting ready | stalled continue-in-epoch superseded | stalled open-new-set superseded
    stuck resume-attesting attesting | stuck resume-decrypting decrypting | stuck continue-in-epoch superseded | stuck open-new-set superseded`,
  "site's round": `
    idle train trained | idle attest attested | idle release released | idle decline declined | idle apply applied
    trained give-nonce nonce-given | trained attest attested | trained release released | trained decline declined | trained abandon abandoned
    trained apply applied | trained supersede superseded
    nonce-given encrypt encrypted | nonce-given lose trained | nonce-given new-attempt trained | nonce-given attest attested | nonce-given release released
    nonce-given decline declined | nonce-given abandon abandoned | nonce-given apply applied | nonce-given supersede superseded
    encrypted upload uploaded | encrypted lose trained | encrypted new-attempt trained | encrypted attest attested | encrypted release released
    encrypted abandon abandoned | encrypted apply applied | encrypted supersede superseded
    uploaded new-attempt trained | uploaded attest attested | uploaded release released | uploaded abandon abandoned
    uploaded apply applied | uploaded supersede superseded
    attested release released | attested apply applied | attested supersede superseded
    released apply applied | released supersede superseded
    declined abandon abandoned | declined apply applied | declined supersede superseded`,
};

type AnyTable = TransitionTable<string, string>;
const tables = [MEMBERSHIP_TABLE, RUN_TABLE, ROUND_TABLE, AGENT_ROUND_TABLE] as unknown as AnyTable[];
const legalMoves = (table: AnyTable): Map<string, string> =>
  new Map(
    LEGAL[table.of]!.split(/[|\n]/)
      .map((move) => move.trim())
      .filter((move) => move !== '')
      .map((move) => move.split(' ') as [string, string, string])
      .map(([state, event, target]) => [`${state} ${event}`, target]),
  );

describe.each(tables.map((table) => [table.of, table] as const))('the life of a %s', (_, table) => {
  const states = Object.keys(table.transitions);
  const legal = legalMoves(table);

  it('allows exactly the listed moves and refuses every other pair by name', () => {
    let refused = 0;
    for (const state of states) {
      for (const event of table.events) {
        const target = legal.get(`${state} ${event}`);
        if (target !== undefined) {
          expect(nextState(table, state, event)).toBe(target);
          continue;
        }
        refused++;
        try {
          nextState(table, state, event);
          expect.unreachable(`${state} took ${event}`);
        } catch (error) {
          expect(error).toBeInstanceOf(ConsortiumError);
          const { code, message } = error as ConsortiumError;
          expect(code).toBe('illegal-transition');
          expect(message).toContain(`"${state}"`);
          expect(message).toContain(`"${event}"`);
          expect(message).toContain(legalEvents(table, state).join(', ') || 'this state is final');
        }
      }
    }
    expect(refused).toBe(states.length * table.events.length - legal.size);
  });

  it('refuses names that are in no table, also those every object has', () => {
    for (const name of ['', 'constructor', '__proto__', 'toString', 'Training']) {
      expect(() => nextState(table, table.initial, name)).toThrow(/cannot take the event/);
      expect(() => nextState(table, name, table.events[0]!)).toThrow(/has no state/);
    }
  });

  it('reaches every state from the first, and an end from every state', () => {
    const reach = (from: string): Set<string> => {
      const seen = new Set([from]);
      for (const state of seen) legalEvents(table, state).forEach((event) => seen.add(nextState(table, state, event)));
      return seen;
    };
    expect(reach(table.initial)).toEqual(new Set(states));
    for (const state of states) expect([...reach(state)].some((reached) => isFinal(table, reached))).toBe(true);
  });
});

describe('after the freeze', () => {
  it('no round can be abandoned or collect nonces again', () => {
    const seen = new Set(['frozen' as keyof typeof ROUND_TABLE.transitions]);
    for (const state of seen) legalEvents(ROUND_TABLE, state).forEach((event) => seen.add(nextState(ROUND_TABLE, state, event)));
    for (const before of ['training', 'ready', 'uploading', 'abandoned'] as const) expect(seen.has(before)).toBe(false);
  });

  it('no site encrypts again once it signed or released', () => {
    const seen = new Set(['attested' as keyof typeof AGENT_ROUND_TABLE.transitions]);
    for (const state of seen)
      legalEvents(AGENT_ROUND_TABLE, state).forEach((event) => seen.add(nextState(AGENT_ROUND_TABLE, state, event)));
    expect(seen.has('encrypted')).toBe(false);
    expect(seen.has('trained')).toBe(false);
  });
});
