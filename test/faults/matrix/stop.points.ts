import { legalEvents, type TransitionTable } from '@coferment/consortium';

/** One move by a transition table, as it is stored. */
export interface Move {
  of: string;
  state: string;
  event: string;
}

/** Before: the transaction is whole and is never committed. After: it is committed, and nothing that follows from it is done or sent. */
export const PHASES = ['before', 'after'] as const;
export type Phase = (typeof PHASES)[number];

export const ROLES = ['coordinator', 'contributor', 'key holder'] as const;
export type Role = (typeof ROLES)[number];

export const pointName = (role: Role, { of, state, event }: Move, phase: Phase): string => `${role}: ${phase} ${of} ${state} --${event}-->`;

/** Every move that a table allows. A move that is added to a table is here by itself. */
export function movesOf<State extends string, Event extends string>(table: TransitionTable<State, Event>): Move[] {
  return (Object.keys(table.transitions) as State[]).flatMap((state) =>
    legalEvents(table, state).map((event) => ({ of: table.of, state, event })),
  );
}

export const pointsOf = (role: Role, moves: readonly Move[]): string[] =>
  moves.flatMap((move) => PHASES.map((phase) => pointName(role, move, phase)));
