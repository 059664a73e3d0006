import { hexToBytes, loadCrypto, type SecretFlags } from '@coferment/crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { mapProxyVariables } from '../connection/proxy.environment.js';
import { joinConsortium } from '../enrolment/join.flow.js';
import { isMember, readMembership } from '../enrolment/membership.file.js';
import { readSecret } from '../keys/store.secret.js';
import { answer } from './command.output.js';
import { secretOptions } from './secret.options.js';

interface JoinOptions extends SecretFlags {
  data: string;
  trainingSeed?: string;
  json?: boolean;
}

export function addMembershipCommands(program: Command): void {
  secretOptions(program.command('join'))
    .description('Join a consortium with an invite file; makes the keys of this site')
    .argument('<invite>', 'invite file from the operator')
    .requiredOption('--data <dir>', "folder for this site's keys and journal")
    .option('--training-seed <hex>', 'seed of training and rounding, 64 hex digits; only to reproduce a demonstration', parseSeed)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  coferment-agent join invite-lab1.json --data /var/lib/coferment --passphrase-file /etc/coferment/passphrase',
    )
    .action((inviteFile: string, options: JoinOptions) =>
      answer(options, async () => {
        mapProxyVariables(process.env);
        await loadCrypto();
        const member = await joinConsortium({
          folder: options.data,
          inviteFile,
          passphrase: await readSecret(options, { isNew: !isMember(options.data) }),
          ...(options.trainingSeed === undefined ? {} : { trainingSeed: hexToBytes(options.trainingSeed) }),
        });
        const { site, identityKey, consortium } = member;
        return {
          json: { site, identityKey, consortium },
          text: `Site ${site} has joined ${consortium}.\nIdentity key: ${identityKey}\nTell it to the operator and to the other sites by telephone or on paper. Back up ${options.data} now.`,
        };
      }),
    );

  program
    .command('identity')
    .description("Show this site's name and public identity key")
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent identity --data /var/lib/coferment')
    .action((options: { data: string; json?: boolean }) =>
      answer(options, () => {
        const { site, identityKey, consortium } = readMembership(options.data);
        return { json: { site, identityKey, consortium }, text: `Site ${site} of consortium ${consortium}\nIdentity key: ${identityKey}` };
      }),
    );
}

function parseSeed(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('A training seed is 64 lower-case hexadecimal digits.');
  return text;
}
