import {
  commitmentOf,
  parseRoster,
  peekStatement,
  type Plan,
  type Predicate,
  type StrategyState,
  sumInput,
  type SumKind,
  vectorShape,
} from '@coferment/consortium';
import { type AggregationParameters, blockCount } from '@coferment/crypto';
import { commitmentFields } from '@coferment/ledger';
import { AgentError } from '../agent.error.js';
import type { ObjectCache } from '../connection/object.cache.js';
import type { Journal } from '../journal/journal.js';
import { readRecord } from '../journal/record.chain.js';
import type { RecordEntry } from '../journal/record.entry.js';
import { openingsOf, recordsCommitment, vectorCommitment } from '../journal/stored.vector.js';
import { readPlan } from '../policy/plan.policy.js';
import type { Trainer } from '../training/site.trainer.js';
import { decodeState } from '../training/starting.state.js';

/** What this site trained for a sum, as its record has it. */
export type TrainedEntry = Extract<RecordEntry, { kind: 'trained' }> & {
  from: NonNullable<Extract<RecordEntry, { kind: 'trained' }>['from']>;
};

export interface Reproduction {
  run: string;
  round: number;
  sum: number;
  kind: SumKind;
  /**
   * Whether the vector that was made again is, to the last bit, the one that was made then, from the same records, and all that was signed about it follows from
   * it. A record value can change so little that no coefficient does; the records are then not those that were trained on all the same.
   */
  matches: boolean;
  /** Rows that it was made from now. */
  samples: number;
  /** What is alike. */
  alike: string[];
  /** What differs. */
  differs: string[];
  /** What explains a difference; where there is none, that the mapping file has changed all the same. */
  reasons: string[];
}

/** Everything that a vector is made of but the records and the training seed. */
export interface Material {
  trained: TrainedEntry;
  run: string;
  round: number;
  /** The last sum that the vector went to. */
  sum: number;
  plan: Plan;
  parameters: AggregationParameters;
  state: StrategyState | null;
  /** Opens the commitments of the record. */
  salt: Uint8Array;
  /** What this site signed about uploads that carried the vector; none when it had not got that far. */
  contributions: SignedUpload[];
}

/** An upload as it was signed, and the parameters of its key epoch. */
interface SignedUpload {
  predicate: Predicate<'contribution'>;
  parameters: AggregationParameters;
}

/** A vector of a run: the kind and round of the sums that it went to. A sum that a later key epoch goes on with has another number, and the same vector. */
interface NamedVector {
  run: string;
  plan: string;
  kind: SumKind;
  round: number;
  sums: number[];
}

/** Which sum of a run: by its number, or the update of a training round. */
export type Wanted = { run: string } & ({ sum: number } | { round: number });

/**
 * Gathers what the vector of a sum was made of, from this site's own folder alone.
 * @throws AgentError 'no-model' when the record has no such vector, or what it was made of is not here any more
 */
export function gatherMaterial(journal: Journal, objects: ObjectCache, wanted: Wanted): Material {
  const { entries, findings } = readRecord(journal.record.lines());
  const [finding] = findings;
  if (finding !== undefined)
    throw new AgentError(
      'journal-damaged',
      `The record of this site does not hold (${finding.where}: ${finding.problem}), so nothing can be compared with it.`,
    );
  const named = nameVector(journal, entries, wanted);
  const trained = findTrained(entries, named);
  const { run, epoch, start } = trained.from;
  const plan = objects.read(trained.plan);
  const parameters = parametersOf(journal, objects, run, epoch);
  const state = start === null ? null : objects.read(start);
  const missing = [
    ...(plan === undefined ? [`the plan ${trained.plan}`] : []),
    ...(parameters === undefined ? [`the roster of key epoch ${epoch}`] : []),
    ...(state === undefined
      ? [`the state that sum ${trained.from.sum} started from${wasPruned(entries, run) ? ' (it was pruned)' : ''}`]
      : []),
  ];
  const salt = journal.rounds.saltOf(trained.vector);
  if (plan === undefined || parameters === undefined || state === undefined || salt === undefined)
    throw new AgentError(
      'no-model',
      `This sum cannot be reproduced: ${missing.join(' and ') || 'its salt'} is not in the folder any more. Put it back from a backup.`,
    );
  return {
    trained,
    run: named.run,
    round: named.round,
    sum: named.sums.at(-1) ?? trained.from.sum,
    plan: readPlan(plan),
    parameters,
    state: state === null ? null : decodeState(state),
    salt,
    contributions: contributionsOf(journal, objects, entries, named),
  };
}

function nameVector(journal: Journal, entries: readonly RecordEntry[], wanted: Wanted): NamedVector {
  const { run } = wanted;
  const steps = entries.flatMap((entry) => (entry.kind === 'step' && entry.run === run && entry.sumKind !== 'confirm' ? [entry] : []));
  const step =
    'sum' in wanted
      ? steps.find(({ sum }) => sum === wanted.sum)
      : steps.find(({ sumKind, round }) => sumKind === 'update' && round === wanted.round);
  const plan = journal.runs.get(run)?.plan;
  if (step === undefined || plan === undefined) {
    const known = [
      ...new Set(steps.map(({ sum, sumKind, round }) => `sum ${sum} (${sumKind}${sumKind === 'update' ? `, round ${round}` : ''})`)),
    ];
    throw new AgentError(
      'no-model',
      `The record of this site has no ${'sum' in wanted ? `sum ${wanted.sum}` : `round ${wanted.round}`} of run "${run}" that could be made again. It has: ${known.join(', ') || 'nothing of this run'}. Sums that confirm keys hold nothing of a site.`,
    );
  }
  const { sumKind: kind, round } = step;
  const sums = new Set(steps.flatMap((other) => (other.sumKind === kind && other.round === round ? [other.sum] : [])));
  return { run, plan, kind, round, sums: [...sums].toSorted((a, b) => a - b) };
}

function findTrained(entries: readonly RecordEntry[], { run, plan, kind, round }: NamedVector): TrainedEntry {
  const ofKind = entries.filter(
    (entry): entry is TrainedEntry => entry.kind === 'trained' && entry.from !== null && entry.plan === plan && entry.sumKind === kind,
  );
  // Statistics start from no model, so all runs of a plan have the same vector.
  const found =
    ofKind.findLast(({ from }) => from.run === run && from.round === round) ?? (kind === 'statistics' ? ofKind.at(-1) : undefined);
  if (found !== undefined) return found;
  throw new AgentError(
    'no-model',
    `This site made no ${kind} vector for round ${round} of ${run}, or made it before its record was opened.`,
  );
}

function contributionsOf(
  journal: Journal,
  objects: ObjectCache,
  entries: readonly RecordEntry[],
  { run, kind, sums }: NamedVector,
): SignedUpload[] {
  return entries.flatMap((entry) => {
    if (entry.kind !== 'signed' || entry.name !== 'contribution' || entry.run !== run) return [];
    const stored = journal.statements.find(run, 'contribution', entry.subject);
    const statement = stored === undefined ? undefined : peekStatement(stored.envelope);
    if (statement?.name !== 'contribution' || statement.predicate.kind !== kind || !sums.includes(statement.predicate.sum)) return [];
    const { predicate } = statement;
    const epoch = journal.runs.epochs(run).find(({ e }) => e === predicate.e)?.epoch ?? 0;
    const parameters = parametersOf(journal, objects, run, epoch);
    return parameters === undefined ? [] : [{ predicate, parameters }];
  });
}

function parametersOf(journal: Journal, objects: ObjectCache, run: string, epoch: number): AggregationParameters | undefined {
  const roster = journal.runs.epoch(run, epoch)?.roster;
  const bytes = roster === undefined ? undefined : objects.read(roster);
  return bytes === undefined ? undefined : parseRoster(bytes).parameters;
}

function wasPruned(entries: readonly RecordEntry[], run: string): boolean {
  return entries.some((entry) => entry.kind === 'material-pruned' && entry.run === run);
}

const committedNames = [
  { fact: 'samples', name: 'the number of samples' },
  { fact: 'batches', name: 'the number of batches' },
  { fact: 'data-report', name: 'the data report' },
] as const;

/** Makes the vector again and compares it with the record and with what this site signed. */
export async function reproduce(material: Material, trainer: Trainer, backend: string): Promise<Reproduction> {
  const { trained, plan, parameters, state, salt, contributions } = material;
  const { sumKind: kind } = trained;
  const job =
    state === null || kind === 'statistics' || kind === 'confirm'
      ? { kind: 'statistics' as const, plan, parameters }
      : { kind, plan, parameters, state };
  const { vector } = await trainer.build(job);
  const input = sumInput(plan, kind, state);
  const shape = vectorShape(plan, kind);
  const openings = openingsOf(vector, salt);
  const alike: string[] = [];
  const differs: string[] = [];
  const compare = (what: string, same: boolean) => void (same ? alike : differs).push(what);
  compare('the vector of the record, all coefficients', vectorCommitment(salt, vector.coefficients) === trained.vector);
  compare(
    'the records that were read, to the last value',
    recordsCommitment(salt, 'batches', trainer.source.batches) === trained.from.batches,
  );
  compare('the model that the sum started from', input.modelIn === trained.modelIn);
  for (const { predicate: signed, parameters: agreed } of contributions) {
    const of = `the signed upload to sum ${signed.sum}, attempt ${signed.attempt}`;
    compare(`number of blocks in ${of}`, signed.blocks === blockCount(shape, agreed));
    compare(`dropped bits in ${of}`, signed.droppedBits === agreed.droppedBits);
    compare(`ranges in ${of}`, signed.ranges === input.ranges);
    for (const { fact, name } of committedNames)
      compare(`commitment to ${name} in ${of}`, signed[commitmentFields[fact]] === commitmentOf(openings[fact]));
    compare(`backend in ${of}`, signed.backend === vector.backend);
  }
  const { run, round, sum } = material;
  const found = { run, round, sum, kind, samples: vector.samples, alike, differs };
  return { ...found, matches: differs.length === 0, reasons: reasonsFor(material, trainer, backend, differs.length === 0) };
}

function reasonsFor({ trained, salt }: Material, { source }: Trainer, backend: string, matches: boolean): string[] {
  const { from } = trained;
  const sameRecords = recordsCommitment(salt, 'batches', source.batches) === from.batches;
  const sameMapping = recordsCommitment(salt, 'mapping', source.mapping) === from.mapping;
  if (matches) return sameMapping ? [] : ['The mapping file has changed since, but reads the same records.'];
  const reasons = [
    ...(sameRecords
      ? []
      : [
          'The records are not those that were trained on: batches were added, removed or changed since, or are read otherwise. Give the records and the mapping as they were then.',
        ]),
    ...(sameMapping ? [] : ['The mapping file is not the one that was used then.']),
    ...(trained.backend === 'none' || trained.backend === backend
      ? []
      : [
          `It was trained with the backend ${trained.backend}, and now with ${backend}. Backends round differently: give --backend ${trained.backend}.`,
        ]),
    ...(source.software === from.software
      ? []
      : [`It was trained by "${from.software}", and now by "${source.software}". Other versions may round differently.`]),
  ];
  if (reasons.length > 0) return reasons;
  return [
    'Records, mapping, backend and software are the same, so the training seed of this site or the state that the sum started from must be another one.',
  ];
}
