import { ConsortiumError } from '../errors/index.js';

/** A life cycle as data: for every state, the events that are legal in it and the state each leads to. */
export interface TransitionTable<State extends string, Event extends string> {
  /** What it is the life of, for messages. */
  readonly of: string;
  readonly initial: State;
  readonly events: readonly Event[];
  readonly transitions: Readonly<Record<State, Readonly<Partial<Record<Event, State>>>>>;
}

/** Events that are legal in a state, in the table's order. Empty for a final state. */
export function legalEvents<State extends string, Event extends string>(table: TransitionTable<State, Event>, state: State): Event[] {
  const row = table.transitions[state];
  return table.events.filter((event) => Object.hasOwn(row, event));
}

export function isFinal<State extends string, Event extends string>(table: TransitionTable<State, Event>, state: State): boolean {
  return legalEvents(table, state).length === 0;
}

/**
 * The state that follows. Pure: store it, together with what is owed next, before anything is sent.
 * @throws ConsortiumError 'illegal-transition' naming the state, the event and the events that are legal.
 */
export function nextState<State extends string, Event extends string>(
  table: TransitionTable<State, Event>,
  state: State,
  event: Event,
): State {
  // States and events come back from databases and messages: a name that is not in the table must not reach Object.prototype.
  if (!Object.hasOwn(table.transitions, state)) {
    throw new ConsortiumError(
      'illegal-transition',
      `a ${table.of} has no state "${state}"; it has ${Object.keys(table.transitions).join(', ')}`,
    );
  }
  const row = table.transitions[state];
  const target = Object.hasOwn(row, event) ? row[event] : undefined;
  if (target === undefined) {
    const legal = legalEvents(table, state);
    const rest = legal.length === 0 ? 'this state is final' : `legal here: ${legal.join(', ')}`;
    throw new ConsortiumError('illegal-transition', `a ${table.of} that is "${state}" cannot take the event "${event}"; ${rest}`);
  }
  return target;
}
