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

export interface DemoPlan {
  /** The text that will be published. */
  readonly text: string;
  readonly plan: Plan;
}

/** The plan with the number of rounds that the command line gave, if it gave one. Comments in it stay. */
export function planWithRounds(text: string, rounds: number | undefined): DemoPlan {
  const document = parseDocument(text);
  if (rounds !== undefined) document.set('rounds', rounds);
  const changed = document.toString();
  return { text: changed, plan: parsePlan(changed) };
}
