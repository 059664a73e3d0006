import type { AgentRoundState, RoundState, RunState, Statement, SumKind } from '@coferment/consortium';

/** What a consortium has stored, read at one moment while nobody writes, as plain data: invariants are functions of this alone. */
export interface ConsortiumStores {
  runs: StoredRun[];
  rounds: StoredRound[];
  acts: StoredAct[];
  events: StoredEvent[];
  models: { run: string; round: number; model: string; object: string }[];
  objects: { digest: string; size: number }[];
  ledger: StoredEntry[];
  /** What stands in the object folder, with paths from there: `<digest>`, `leaves/<digest>`, `partial/<sender>.<digest>`. */
  files: { path: string; size: number }[];
  sites: StoredSite[];
}

export interface StoredRun {
  run: string;
  state: RunState;
  model: string;
  sites: string[];
}

export interface StoredRound {
  run: string;
  sum: number;
  kind: SumKind;
  round: number;
  state: RoundState;
  attempt: number;
  k: string | null;
  t: string | null;
  counted: string[];
  excluded: { site: string; reason: string }[];
  modelIn: string;
  modelOut: string | null;
}

/** A signed act as the coordinator has taken it. */
export interface StoredAct {
  run: string;
  site: string;
  slot: string;
  digest: string;
  statement: Statement;
}

export interface StoredEntry {
  index: number;
  digest: string;
  statement: Statement;
}

export interface StoredEvent {
  run: string;
  type: string;
  state: string;
  sum: number | null;
}

/** The journal of a site. */
export interface StoredSite {
  site: string;
  statements: { run: string; name: string; subject: string; digest: string; statement: Statement }[];
  /** Every move of a round that its record tells of, in order. */
  steps: { run: string; sum: number; attempt: number; state: AgentRoundState }[];
  /** Every sum that it has applied, with the SHA-256 of the model that it then had. */
  applied: { run: string; sum: number; model: string | null }[];
}

/** Something that has to hold after every fault, wherever it struck. */
export interface Invariant {
  name: string;
  /** @returns what does not hold, each in a sentence that names the place; empty when all is well */
  violations: (stores: ConsortiumStores) => string[];
}
