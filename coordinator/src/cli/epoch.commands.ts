import { formatFingerprint } from '@coferment/consortium';
import type { RenewEpochResponse } from '@coferment/proto';
import type { Command } from 'commander';
import { ask } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';

interface RenewFlags extends OperatorFlags {
  leaveOut?: string;
  replaceHolder?: string;
}

export function addEpochs(program: Command): void {
  const epochs = program.command('epochs').description('Key epochs of a run: who deals keys, and who holds them.');
  operatorOptions(
    epochs
      .command('renew <run>')
      .description(
        'Start a new key epoch of a run that is stuck, in its key ceremony or running: every key is dealt anew, and what was unfinished is completed. Without a site the members stay the same.',
      ),
  )
    .option(
      '--leave-out <site>',
      'this site deals no key and contributes nothing more; not possible once it is counted in an unfinished sum',
    )
    .option('--replace-holder <site>', 'this site goes on contributing, and holds no key shares any more')
    .addHelpText(
      'after',
      '\nExamples:\n  coferment epochs renew r1-3f9c0a… --leave-out alder --data ./coordinator --passphrase-file ./passphrase\n  coferment epochs renew r1-3f9c0a… --replace-holder birch --data ./coordinator --passphrase-file ./passphrase',
    )
    .action((run: string, flags: RenewFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const { run: before } = await ask(operator.getRun.bind(operator), { run });
        const request = { run, epoch: (before?.epoch ?? 0) + 1, leaveOut: flags.leaveOut ?? '', replaceHolder: flags.replaceHolder ?? '' };
        const renewed = await ask(operator.renewEpoch.bind(operator), request);
        output.result(renewed, renewedText(renewed, before?.fingerprint ?? ''));
      }),
    );
}

function renewedText({ run, epoch, fingerprint, keyHolders, leftOut }: RenewEpochResponse, before: string): string {
  const without = leftOut.length === 0 ? '' : `, without ${leftOut.join(', ')}`;
  const approval =
    fingerprint === before
      ? 'Its members are those of the epoch before, so nobody has to approve its fingerprint again.'
      : `Each site approves its fingerprint, which it gets over another channel:\n  ${formatFingerprint(fingerprint)}\n  coferment-agent roster approve ${fingerprint} --data DIR`;
  return `Key epoch ${epoch} of run ${run} starts${without}. Key holders: ${keyHolders.join(', ')}.\n${approval}`;
}
