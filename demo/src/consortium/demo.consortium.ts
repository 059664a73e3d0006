import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Plan, parsePlan } from '@coferment/consortium';
import { parseDocument } from 'yaml';

export interface DemoSite {
  readonly id: string;
  readonly mappingFile: string;
  readonly recordsFolder: string;
}

/** Who trains what: the same for virtual and for real sites from here on. */
export interface DemoConsortium {
  readonly name: string;
  readonly sites: readonly DemoSite[];
  readonly planText: string;
}

export interface PublishedPlan {
  readonly file: string;
  readonly plan: Plan;
}

/** Writes the plan that will be published, with the number of rounds where the command line gave one. Comments in it stay. */
export async function writePlan(folder: string, planText: string, rounds: number | undefined): Promise<PublishedPlan> {
  const document = parseDocument(planText);
  if (rounds !== undefined) document.set('rounds', rounds);
  const text = document.toString();
  const plan = parsePlan(text);
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'plan.yaml');
  await writeFile(file, text);
  return { file, plan };
}
