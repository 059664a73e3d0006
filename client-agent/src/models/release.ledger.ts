import { type PredicateName, parseStatement, type Statement } from '@coferment/consortium';
import { bytesToHex } from '@coferment/crypto';
import { parseEntry, verifyEntry } from '@coferment/ledger';
import { AgentError } from '../agent.error.js';
import type { CoordinatorPort, LoggedEntry } from '../connection/coordinator.port.js';

/** A model that the operator has released, as the ledger tells of it. */
export interface Release {
  run: string;
  ordinal: number;
  planName: string;
  /** Digest of the plan. */
  plan: string;
  sites: string[];
  model: string;
  parameters: number;
  /** Digest of the normalisation that belongs to the model; undefined before the run's last evaluation was frozen. */
  normalisation: string | undefined;
}

/** Entries of one request, as in {@link CoordinatorPort}: the largest are some tens of kilobytes. */
const PAGE = 64;
const NAMES = ['plan-published', 'run-opened', 'round-frozen', 'model-released'] as const satisfies readonly PredicateName[];
type Told = Statement<(typeof NAMES)[number]>;

export interface ReleaseSource {
  consortium: string;
  operatorKey: Uint8Array;
  port: Pick<CoordinatorPort, 'ledgerEntries'>;
  /** Told of every page. */
  progress: (entries: number) => void;
}

/**
 * Every released model, from the acts in the ledger that the operator has signed. That one of them is the model that the sites computed is what an audit of
 * the whole ledger shows; here it is only what the operator stands for.
 * @throws AgentError 'malformed-response'
 */
export async function readReleases(source: ReleaseSource): Promise<Release[]> {
  const plans = new Map<string, string>();
  const runs = new Map<string, Told & { name: 'run-opened' }>();
  const normalisations = new Map<string, string>();
  const releases = new Map<string, Release>();
  for await (const { name, predicate } of operatorActs(source)) {
    switch (name) {
      case 'plan-published':
        plans.set(predicate.plan, predicate.name);
        break;
      case 'run-opened':
        runs.set(predicate.run, { name, predicate } as Told & { name: 'run-opened' });
        break;
      case 'round-frozen':
        if (predicate.kind === 'evaluate') normalisations.set(`${predicate.run} ${predicate.modelIn}`, predicate.normalisation);
        break;
      case 'model-released': {
        const { run, model, parameters } = predicate;
        const opened = runs.get(run)?.predicate;
        if (opened === undefined) break;
        const { plan, ordinal, sites } = opened;
        releases.set(run, {
          run,
          ordinal,
          plan,
          planName: plans.get(plan) ?? '',
          sites,
          model,
          parameters,
          normalisation: normalisations.get(`${run} ${model}`),
        });
      }
    }
  }
  return [...releases.values()];
}

async function* operatorActs(source: ReleaseSource): AsyncGenerator<Told> {
  for (let start = 0; ;) {
    const page = await source.port.ledgerEntries(start, PAGE);
    if (page.length > PAGE || page.some(({ index }, offset) => index !== start + offset))
      throw new AgentError(
        'malformed-response',
        `The ledger was asked for ${PAGE} entries from ${start} on; other ones came. Ask the operator.`,
      );
    for (const entry of page) {
      const act = operatorAct(source, entry);
      if (act !== undefined) yield act;
    }
    start += page.length;
    source.progress(start);
    if (page.length < PAGE) return;
  }
}

/** What is not signed by the operator, or is of another consortium, tells nothing. */
function operatorAct({ consortium, operatorKey }: ReleaseSource, { entry, payload }: LoggedEntry): Told | undefined {
  try {
    const act = parseStatement(payload);
    if (!NAMES.some((name) => name === act.name) || act.predicate.consortium !== consortium) return undefined;
    const parsed = parseEntry(entry);
    if (bytesToHex(parsed.publicKey) !== bytesToHex(operatorKey)) return undefined;
    verifyEntry(parsed, payload);
    return act as Told;
  } catch {
    return undefined;
  }
}
