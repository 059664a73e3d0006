import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AgentError } from '../agent.error.js';
import { ObjectCache } from '../connection/object.cache.js';
import { checkData, importSite, parseMapping } from '../data/index.js';
import type { Journal } from '../journal/journal.js';
import type { RunRecord } from '../journal/runs.repository.js';
import { leavingItems } from '../policy/leaving.items.js';
import { type ExplanationInput, explainForSite, type PlanExplanation } from '../policy/plan.explanation.js';
import { readPlan } from '../policy/plan.policy.js';
import { sitePolicy } from '../policy/policy.file.js';
import { judgeRequest } from '../rounds/policy.gate.js';
import { sitesInRun } from '../rounds/run.sites.js';

export interface ShowInput {
  folder: string;
  plan: string;
  ordinal?: number;
  policyFile?: string;
  mappingFile?: string;
  recordsFolder?: string;
}

/** Explains an announced run from the journal and the objects that the agent has downloaded: without a network. */
export async function explainRun(journal: Journal, input: ShowInput): Promise<PlanExplanation> {
  const run = announcedRun(journal, input.plan, input.ordinal);
  const objects = new ObjectCache(join(input.folder, 'objects'));
  const bytes = objects.read(input.plan);
  if (bytes === undefined) throw notHere(input.plan);
  const plan = readPlan(bytes);
  const policy = sitePolicy(input.folder, input.policyFile);
  const { verdict, results } = judgeRequest({ journal, objects, policy }, run, plan);
  const all = journal.runs.all();
  const earlier = all
    .slice(
      0,
      all.findIndex((other) => other.run === run.run),
    )
    .filter(({ state }) => state !== 'asked')
    .map((other) => ({ ...other, sites: sitesInRun({ journal, objects }, other) }));
  const data = await readData(input, plan, run.sites.length);
  return explainForSite({
    plan,
    run,
    decided: journal.approvals.latestDecision(run.plan, run.ordinal),
    earlier,
    policy: { file: policy.current().file, verdict, results },
    ...(data === undefined ? {} : { data }),
  });
}

/** The one that waits for a decision, else the latest. */
export function announcedRun(journal: Journal, plan: string, ordinal?: number): RunRecord {
  const runs = journal.runs.all().filter((run) => run.plan === plan && (ordinal === undefined || run.ordinal === ordinal));
  const run = runs.find(({ state }) => state === 'asked') ?? runs.at(-1);
  if (run === undefined) throw notHere(plan);
  return run;
}

async function readData(
  { mappingFile, recordsFolder }: ShowInput,
  plan: ExplanationInput['plan'],
  sites: number,
): Promise<ExplanationInput['data']> {
  if (mappingFile === undefined && recordsFolder === undefined) return undefined;
  if (mappingFile === undefined || recordsFolder === undefined)
    throw new AgentError('missing-file', 'To read your records, give both --mapping and --records.');
  const { batches, report } = await importSite({ mappingFile, dataDir: recordsFolder });
  const mapping = parseMapping(readFileSync(mappingFile, 'utf8'), mappingFile);
  return { mapping, check: checkData({ plan, batches, report, leaves: leavingItems(plan, sites) }) };
}

function notHere(plan: string): AgentError {
  return new AgentError(
    'not-announced',
    `No run of plan ${plan} has been announced to this site, or its plan is not downloaded yet. It is here as soon as the agent has polled after the launch: coferment-agent plans list`,
  );
}
