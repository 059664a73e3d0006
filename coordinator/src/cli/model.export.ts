import {
  type Plan,
  type Roster,
  type Statement,
  type StrategyState,
  applySum,
  describeModel,
  initialState,
  modelDigest,
  parsePlan,
  parseRoster,
  vectorShape,
} from '@coferment/consortium';
import { unpackSum } from '@coferment/crypto';
import { CoordinatorError } from '../errors/index.js';
import { readLedger, statementsOf } from './ledger.reader.js';
import { type OperatorClient, downloadObject } from './operator.client.js';

type Aggregate = Extract<Statement, { name: 'aggregate' }>['predicate'];

export interface WrittenModel {
  run: string;
  model: string;
  round: number;
  parameters: number;
  out: string;
}

/**
 * Recomputes a run's model from the sums that the ledger names, as every site does, and writes it. What is exported is therefore what was signed for, or
 * nothing. @throws CoordinatorError 'unknown-run', 'wrong-digest'
 */
export async function exportModel(client: OperatorClient, run: string, out: string): Promise<WrittenModel> {
  const statements = statementsOf(await readLedger(client));
  const opened = statements.find((statement) => statement.name === 'run-opened' && statement.predicate.run === run);
  const epoch = statements.find((statement) => statement.name === 'key-epoch' && statement.predicate.run === run);
  if (opened?.name !== 'run-opened' || epoch?.name !== 'key-epoch') {
    throw new CoordinatorError(
      'unknown-run',
      `Run "${run}" has no model: it is unknown or its key epoch was never agreed. See: coferment status`,
    );
  }
  const { plan: digest, ordinal, sites } = opened.predicate;
  const plan = parsePlan(JSON.parse((await downloadObject(client, digest)).toString('utf8')));
  const roster = parseRoster(await downloadObject(client, epoch.predicate.roster));
  let state: StrategyState | undefined;
  for (const statement of statements) {
    if (statement.name !== 'aggregate' || statement.predicate.run !== run) continue;
    const { kind, modelOut, sumObject } = statement.predicate;
    if (kind !== 'statistics' && kind !== 'update') continue;
    const sum = readSum(
      plan,
      roster,
      statement.predicate,
      addendsOf(statements, statement.predicate),
      await downloadObject(client, sumObject),
    );
    state =
      kind === 'statistics'
        ? initialState(plan, { ordinal, siteIds: sites, statistics: sum })
        : applySum(plan, requireState(state, run), sum);
    const found = modelDigest(describeModel(plan), state.model);
    if (modelOut !== 'none' && found !== modelOut) {
      throw new CoordinatorError(
        'wrong-digest',
        `The sums of run ${run} give the model ${found}, but the ledger says ${modelOut}. Nothing was written; run coferment-audit.`,
      );
    }
  }
  const { model, normalisation, round } = requireState(state, run);
  // Loaded here: TensorFlow.js takes a second to start, and no other command needs it.
  const { exportLayersModel, initBackend } = await import('@coferment/learning');
  await initBackend('cpu');
  await exportLayersModel(plan, model, normalisation, out);
  return { run, model: modelDigest(describeModel(plan), model), round, parameters: model.length, out };
}

function readSum(plan: Plan, { parameters }: Roster, { kind }: Aggregate, addends: number, bytes: Uint8Array) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const coefficients = BigUint64Array.from({ length: bytes.length / 8 }, (_, index) => view.getBigUint64(index * 8, true));
  return { ...unpackSum(vectorShape(plan, kind), parameters, coefficients, addends), addends, valueBits: parameters.valueBits };
}

function addendsOf(statements: readonly Statement[], { run, sum }: Aggregate): number {
  const frozen = statements.find(
    (statement) => statement.name === 'round-frozen' && statement.predicate.run === run && statement.predicate.sum === sum,
  );
  return frozen?.name === 'round-frozen' ? frozen.predicate.counted.length : 0;
}

function requireState(state: StrategyState | undefined, run: string): StrategyState {
  if (state === undefined)
    throw new CoordinatorError('unknown-run', `Run ${run} has no model yet: its statistics are not opened. See: coferment run ${run}`);
  return state;
}
