import type { GetStatusResponse, RetireAuthorityResponse, RollAuthorityResponse } from '@coferment/proto';
import type { Command } from 'commander';
import { ask } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';

interface RetireFlags extends OperatorFlags {
  force?: boolean;
}

/** What a site may print and the operator may read aloud: enough to tell two authorities apart. */
const shown = (fingerprint: string): string => `${fingerprint.slice(0, 32)}…`;

export function addAuthorities(program: Command): void {
  const authorities = program
    .command('ca')
    .description('Whose certificates the consortium believes: its certificate authority, and its rollover.');

  operatorOptions(
    authorities.command('show').description('Show the authorities that are believed, and which members have taken in the newest.'),
  )
    .addHelpText('after', '\nExample:\n  coferment ca show --data ./coordinator --passphrase-file ./passphrase')
    .action((flags: OperatorFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const shownState = authorityState(await ask(operator.getStatus.bind(operator), {}));
        output.result(shownState, authorityText(shownState));
      }),
    );

  operatorOptions(
    authorities
      .command('roll')
      .description('Make a new authority beside the old one. Members learn of it by themselves; `retire` ends the overlap.'),
  )
    .addHelpText('after', '\nExample:\n  coferment ca roll --data ./coordinator --passphrase-file ./passphrase')
    .action((flags: OperatorFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const rolled = await ask(operator.rollAuthority.bind(operator), {});
        output.result(rolled, rolledText(rolled));
      }),
    );

  operatorOptions(
    authorities.command('retire').description('End the overlap: only the newest authority is believed. Refused while members are behind.'),
  )
    .option('--force', 'also while members are behind; they renew by their identity keys when they come back')
    .addHelpText('after', '\nExample:\n  coferment ca retire --data ./coordinator --passphrase-file ./passphrase')
    .action((flags: RetireFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const retired = await ask(operator.retireAuthority.bind(operator), { force: flags.force === true });
        output.result(retired, retiredText(retired));
      }),
    );
}

interface AuthorityState {
  sequence: number;
  /** Newest first. */
  fingerprints: string[];
  members: { site: string; role: string; authorities: number; certificateExpiresMs: number }[];
}

function authorityState({ authorities, authorityFingerprints, sites }: GetStatusResponse): AuthorityState {
  const members = sites.filter(({ state }) => state === 'enrolled');
  return {
    sequence: authorities,
    fingerprints: authorityFingerprints,
    members: members.map(({ site, role, authorities: taken, certificateExpiresMs }) => ({
      site,
      role,
      authorities: taken,
      certificateExpiresMs,
    })),
  };
}

function authorityText({ sequence, fingerprints, members }: AuthorityState): string {
  const [newest = '', old] = fingerprints;
  const lines = [
    sequence === 0 ? 'The authority is the one that the consortium was founded with.' : `Authorities act ${sequence} holds.`,
    `  ${shown(newest)} issues`,
    ...(old === undefined ? [] : [`  ${shown(old)} is still believed; end that with: coferment ca retire`]),
    ...members.map(({ site, role, authorities, certificateExpiresMs }) => {
      const behind = role === 'auditor' ? 'an auditor, who is told at its next renewal' : `behind: knows act ${authorities}`;
      const state = authorities >= sequence ? 'up to date' : behind;
      return `  ${site}: ${state}; certificate until ${new Date(certificateExpiresMs).toISOString()}`;
    }),
  ];
  return lines.join('\n');
}

function rolledText({ sequence, fingerprint }: RollAuthorityResponse): string {
  return `A new authority issues from now on (act ${sequence}): ${shown(fingerprint)}\nMembers take it in at their next poll. See who has: coferment ca show. Then end the overlap: coferment ca retire`;
}

function retiredText({ sequence, behind }: RetireAuthorityResponse): string {
  const rest = behind.length === 0 ? 'Every member knows it.' : `Behind, and to renew when they come back: ${behind.join(', ')}.`;
  return `Only the newest authority is believed from now on (act ${sequence}). ${rest}`;
}
