import type { ProgramEvent } from '../../../demo/src/processes/index.js';

/** What an agent shows to people because only people can act on it. No fault of a schedule is such. */
export function complaintOf(site: string, event: ProgramEvent): string | undefined {
  switch (event['event']) {
    case 'refused':
      return `${site} refused: ${String(event['code'])}: ${String(event['message'])}`;
    case 'waiting':
      return `${site} waits for its people: ${String(event['reason'])}`;
    case 'split-view':
      return `${site} sees two ledgers: ${String(event['message'])}`;
    default:
      return undefined;
  }
}
