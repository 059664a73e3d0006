import { MAX_TEXT } from '@coferment/consortium';
import { loadCrypto, type SecretFlags } from '@coferment/crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { leaveConsortium } from '../enrolment/leave.flow.js';
import { readSecret } from '../keys/store.secret.js';
import { answer } from './command.output.js';
import { secretOptions } from './secret.options.js';

interface LeaveOptions extends SecretFlags {
  data: string;
  reason: string;
  abandonRuns?: boolean;
  json?: boolean;
}

/** What the command does, word for word what docs/leaving.md promises. */
export const ERASED = [
  'the keys of every key epoch: sealing keys, own keys, key shares, noise keys',
  'the vectors that were encrypted; of each its digest stays, sealed',
  'the uploads and shares that were kept for resending',
  'the training seed',
  'the key and the certificate for calling the coordinator',
] as const;
export const KEPT = [
  'the identity key, still encrypted: it can prove who this site was',
  'the journal: what was approved, signed, sent and refused',
  'the models that were reached, for this site to use',
  'the plans and rosters that were approved',
  'left.json: the signed statement that this site left',
] as const;

export function addLeaveCommand(program: Command): void {
  secretOptions(program.command('leave'))
    .description('End the membership of this site: tells the consortium, then erases what is of no more use')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--reason <text>', 'stands in the ledger, for every member to read', parseReason, '')
    .option('--abandon-runs', 'also while runs count on this site')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nCut off anywhere, the same command goes on. Take the ledger out before: coferment-agent ledger export\n\nExample:\n  coferment-agent leave --data /var/lib/coferment --passphrase-file /etc/coferment/passphrase',
    )
    .action((options: LeaveOptions) =>
      answer(options, async () => {
        await loadCrypto();
        const { member, departure } = await leaveConsortium({
          folder: options.data,
          passphrase: await readSecret(options),
          reason: options.reason,
          abandonRuns: options.abandonRuns === true,
        });
        const { site, consortium } = member;
        const list = (items: readonly string[]) => items.map((item) => `  ${item}`);
        return {
          json: { site, consortium, leftAt: departure.decidedAt, erased: ERASED, kept: KEPT },
          text: [`${site} has left ${consortium}.`, 'Erased here:', ...list(ERASED), `Kept in ${options.data}:`, ...list(KEPT)].join('\n'),
        };
      }),
    );
}

function parseReason(text: string): string {
  if (text.length > MAX_TEXT) throw new InvalidArgumentError(`A reason has at most ${MAX_TEXT} characters; this one has ${text.length}.`);
  return text;
}
