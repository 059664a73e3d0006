import { parseRoster, rosterLines } from '@coferment/consortium';
import type { RosterStatus, RunStatus } from '@coferment/proto';
import { type Command, InvalidArgumentError } from 'commander';
import { CoordinatorError } from '../errors/index.js';
import { readFacts } from '../identity/consortium.facts.js';
import { ask } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';

export function addRosters(program: Command): void {
  const roster = program.command('roster').description('Who takes part in a run, as its sites approve it by fingerprint.');
  operatorOptions(
    roster
      .command('show <run>')
      .description(
        'The roster of a run, in the lines that coferment-agent roster show has at each site: read them to each other over the telephone. Each key epoch has its own.',
      ),
  )
    .option('--epoch <number>', 'only this key epoch', parseEpoch)
    .addHelpText('after', '\nExample:\n  coferment roster show r1-3f9c0a… --data ./coordinator --passphrase-file ./passphrase')
    .action((run: string, flags: OperatorFlags & { epoch?: number }) =>
      callOperator(flags, async ({ operator }, output) => {
        const [{ run: status }, { rosters }] = await Promise.all([
          ask(operator.getRun.bind(operator), { run }),
          ask(operator.getRosters.bind(operator), { run }),
        ]);
        const screens = rosterScreens(readFacts(flags.data).consortium, status, rosters).filter(
          ({ epoch }) => flags.epoch === undefined || epoch === flags.epoch,
        );
        if (screens.length === 0)
          throw new CoordinatorError(
            'unknown-run',
            `Run ${run} has no key epoch ${flags.epoch}; it has ${rosters.length}. See: coferment roster show ${run}`,
          );
        output.result({ run, rosters: screens }, screens.map(({ lines, note }) => [...lines, ...note].join('\n')).join('\n\n'));
      }),
    );
}

export interface RosterScreen {
  epoch: number;
  approved: string[];
  published: boolean;
  /** What every site sees too. */
  lines: string[];
  /** What only the coordinator knows: who has approved it. */
  note: string[];
}

export function rosterScreens(consortium: string, run: RunStatus | undefined, rosters: readonly RosterStatus[]): RosterScreen[] {
  const asked = [...new Set([...(run?.sites ?? []), ...(run?.notApproved ?? [])])].sort();
  const parsed = rosters.map(({ roster }) => parseRoster(roster));
  return rosters.map(({ epoch, approved, published }, index) => {
    const roster = parsed[index]!;
    const lines = rosterLines(roster, { consortium, run: run?.run ?? '', epoch, asked, before: parsed[index - 1] });
    const waiting = roster.sites.map(({ site }) => site).filter((site) => !approved.includes(site) && !roster.leftOut.includes(site));
    return { epoch, approved, published, lines, note: noteOf(approved, waiting, published) };
  });
}

function noteOf(approved: readonly string[], waiting: readonly string[], published: boolean): string[] {
  if (!published) return ['No site can approve it yet: it is published once every site has offered a sealing key.'];
  if (waiting.length === 0) return [`Approved by all: ${approved.join(', ')}`];
  return [`Approved by: ${approved.length === 0 ? 'nobody yet' : approved.join(', ')}`, `Waits for: ${waiting.join(', ')}`];
}

function parseEpoch(text: string): number {
  const epoch = Number(text);
  if (!Number.isInteger(epoch) || epoch < 1) throw new InvalidArgumentError('A key epoch is a whole number from 1.');
  return epoch;
}
