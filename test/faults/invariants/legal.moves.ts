import {
  AGENT_ROUND_TABLE,
  type AgentRoundState,
  legalEvents,
  nextState,
  ROUND_TABLE,
  type RoundState,
  RUN_TABLE,
  type RunState,
  type TransitionTable,
} from '@coferment/consortium';
import type { Invariant } from './stores.js';

/** Every state that was recorded follows from the one before it by the table. */
export const legalMoves: Invariant = {
  name: 'state machines are legal',
  violations: ({ runs, rounds, events, sites }) => [
    ...runs.flatMap(({ run, state }) => {
      const told = events.filter((event) => event.run === run && event.type === 'run-state').map((event) => event.state as RunState);
      return [...illegal(RUN_TABLE, run, [RUN_TABLE.initial, ...told], 1), ...other(run, told.at(-1), state)];
    }),
    ...rounds.flatMap(({ run, sum, state }) => {
      const of = `sum ${sum} of ${run}`;
      const told = events.filter((event) => event.run === run && event.type === 'round-state' && event.sum === sum);
      const states = told.map((event) => event.state as RoundState);
      const opening = states[0] === ROUND_TABLE.initial ? [] : [`${of} was opened as "${states[0]}"`];
      return [...opening, ...illegal(ROUND_TABLE, of, states, 1), ...other(of, states.at(-1), state)];
    }),
    ...sites.flatMap(({ site, steps }) => {
      const sums = new Map<string, AgentRoundState[]>();
      for (const { run, sum, state } of steps) {
        const key = `sum ${sum} of ${run} at ${site}`;
        sums.set(key, [...(sums.get(key) ?? [AGENT_ROUND_TABLE.initial]), state]);
      }
      // A new attempt and what is done in it are one entry of a site's record.
      return [...sums].flatMap(([key, states]) => illegal(AGENT_ROUND_TABLE, key, states, 2));
    }),
  ],
};

function other(of: string, told: string | undefined, stored: string): string[] {
  return told === stored ? [] : [`${of} is "${stored}", and the last that was told of it is "${told ?? 'nothing'}"`];
}

/** @param moves how many one recorded step may be made of */
function illegal<S extends string, E extends string>(
  table: TransitionTable<S, E>,
  of: string,
  states: readonly S[],
  moves: number,
): string[] {
  return states.slice(1).flatMap((state, index) => {
    const from = states[index]!;
    return reaches(table, from, state, moves)
      ? []
      : [`${of} went from "${from}" to "${state}", which the table of a ${table.of} does not allow`];
  });
}

function reaches<S extends string, E extends string>(table: TransitionTable<S, E>, from: S, to: S, moves: number): boolean {
  if (moves === 0) return false;
  return legalEvents(table, from).some((event) => {
    const next = nextState(table, from, event);
    return next === to || reaches(table, next, to, moves - 1);
  });
}
