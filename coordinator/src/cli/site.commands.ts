import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import { ask } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';

export function addSites(program: Command): void {
  operatorOptions(
    program.command('invite <site>').description('Make an invite for a site. Hand it over by a channel that you trust; it works once.'),
  )
    .requiredOption('--out <file>', 'where to write the invite')
    .option('--valid-hours <hours>', 'how long it may be used', Number, 72)
    .option('--address <host:port>', 'where the site reaches the coordinator (default: the address it listens on)', '')
    .addHelpText(
      'after',
      '\nExample:\n  coferment invite alpha --out alpha.invite.json --data ./coordinator --passphrase-file ./passphrase',
    )
    .action((site: string, flags: OperatorFlags & { out: string; validHours: number; address: string }) =>
      callOperator(flags, async ({ operator }, output) => {
        const { invite } = await ask(operator.createInvite.bind(operator), {
          site,
          validHours: flags.validHours,
          address: flags.address,
          preAdmitted: true,
          role: '',
        });
        writeFileSync(flags.out, invite, { mode: 0o600 });
        output.result(
          { site, file: flags.out },
          `The invite for "${site}" is in ${flags.out}. It works once, for ${flags.validHours} hours.`,
        );
      }),
    );

  operatorOptions(program.command('revoke <site>').description('Refuse every further call of a site, at once and for good.'))
    .option('--reason <text>', 'stands in the ledger', '')
    .addHelpText(
      'after',
      '\nExample:\n  coferment revoke alpha --reason "laptop stolen" --data ./coordinator --passphrase-file ./passphrase',
    )
    .action((site: string, flags: OperatorFlags & { reason: string }) =>
      callOperator(flags, async ({ operator }, output) => {
        await ask(operator.revokeSite.bind(operator), { site, reason: flags.reason });
        output.result({ site, state: 'revoked' }, `The site "${site}" is revoked. Launch new runs without it.`);
      }),
    );
}
