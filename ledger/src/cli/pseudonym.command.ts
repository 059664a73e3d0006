import { pseudonymOf, saltSchema } from '@coferment/consortium';
import type { Command } from 'commander';
import { type Conclude, DOES_NOT_HOLD, HOLDS, type Output, jsonText } from './audit.output.js';

export function addPseudonym(program: Command, { out }: Output, conclude: Conclude): void {
  program
    .command('pseudonym')
    .description('check whose pseudonym a site of a ledger is, with what the company gave you')
    .argument('<site>', 'the site as the ledger calls it, e.g. site-0123456789ab')
    .requiredOption('--company <name>', "the company's name, exactly as it was given")
    .requiredOption('--salt <hex>', 'the salt that the company gave with it')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Exit code: 0 it is, 1 it is not. The same without this tool: the first 12 digits of SHA-256 over the 32 bytes of the salt and the name in UTF-8.

Example:
  coferment-audit pseudonym site-0123456789ab --company 'Example Ferments Ltd' --salt 5f…`,
    )
    .action((site: string, { company, salt, json }: { company: string; salt: string; json?: boolean }) => {
      if (!saltSchema.safeParse(salt).success) throw new Error(`--salt "${salt.slice(0, 80)}" is not 64 lower-case hexadecimal digits`);
      const opened = pseudonymOf({ company, salt });
      const isTheirs = opened === site;
      const verdict = isTheirs
        ? `${site} is the pseudonym of "${company}".`
        : `${site} is not the pseudonym of "${company}" with this salt; that is ${opened}.`;
      out(json ? jsonText({ site, company, opened, isTheirs }) : `${verdict}\n`);
      conclude(isTheirs ? HOLDS : DOES_NOT_HOLD);
    });
}
