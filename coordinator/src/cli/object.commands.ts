import type { Command } from 'commander';
import type { DamagedStoredObject } from '@coferment/proto';
import { EXIT } from './exit.codes.js';
import { type OperatorClient, ask } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';

const MOST_SHOWN = 20;
const AFTER_MS = 2000;

export function addObjects(program: Command): void {
  const objects = program.command('objects').description('Look after stored uploads, sums and models.');
  operatorOptions(
    objects
      .command('check')
      .description(
        'Look whether every object that the database speaks of is in the store as it was stored, and what is there that nothing needs.',
      ),
  )
    .option('--full', 'read every object and compare it with its digest, not one in 32')
    .addHelpText('after', '\nExample:\n  coferment objects check --full --data ./coordinator --passphrase-file ./passphrase')
    .action((flags: OperatorFlags & { full?: boolean }) =>
      callOperator(flags, async ({ operator }, output) => {
        const found = await checked(operator, flags.full === true);
        const orphans = await ask(operator.sweepObjects.bind(operator), { dryRun: true });
        const event = { ...found, orphans: { files: orphans.files, bytes: orphans.bytes, names: orphans.names } };
        output.result(event, `${checkText(found)}\n${orphanText(orphans)}`);
        if (found.damaged.length > 0) process.exitCode = EXIT.failed;
      }),
    );

  operatorOptions(
    objects
      .command('sweep')
      .description(
        'Remove what nothing needs any more: files older than a day that no row names, and ciphertexts whose retention is over. The coordinator also does so itself, daily.',
      ),
  )
    .addHelpText('after', '\nExample:\n  coferment objects sweep --data ./coordinator --passphrase-file ./passphrase')
    .action((flags: OperatorFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const { files, bytes, names } = await ask(operator.sweepObjects.bind(operator), { dryRun: false });
        output.result(
          { files, bytes, names },
          files === 0 ? 'There was nothing to remove.' : `${files} files with ${bytes} bytes were removed.`,
        );
      }),
    );
}

interface Checked {
  place: string;
  objects: number;
  bytes: number;
  read: number;
  damaged: DamagedStoredObject[];
}

async function checked(operator: OperatorClient['operator'], full: boolean): Promise<Checked> {
  const all: Checked = { place: '', objects: 0, bytes: 0, read: 0, damaged: [] };
  let toldMs = performance.now();
  for (let after = '', more = true; more;) {
    const part = await ask(operator.checkObjects.bind(operator), { after, full });
    all.place = part.place;
    all.objects += part.objects;
    all.bytes += part.bytes;
    all.read += part.read;
    all.damaged.push(...part.damaged);
    after = part.next;
    more = after !== '';
    if (!more || performance.now() - toldMs < AFTER_MS) continue;
    toldMs = performance.now();
    process.stderr.write(`${all.objects} objects looked at …\n`);
  }
  return all;
}

function checkText({ place, objects, bytes, read, damaged }: Checked): string {
  const looked = `${objects} objects with ${bytes} bytes in ${place} were looked at, ${read} of them read`;
  if (damaged.length === 0) return `${looked}: all are as they were stored.`;
  const lines = damaged.slice(0, MOST_SHOWN).map(({ digest, purpose, run, site, reason }) => {
    const whose = `${site === '' ? 'the coordinator' : `"${site}"`}${run === '' ? '' : `, run ${run}`}`;
    return `  ${digest} (${purpose} of ${whose}): ${reason}`;
  });
  const more = damaged.length > MOST_SHOWN ? [`  and ${damaged.length - MOST_SHOWN} more; --json lists all`] : [];
  return [`${looked}. ${damaged.length} are not as they were stored:`, ...lines, ...more, 'Restore these from a backup.'].join('\n');
}

function orphanText({ files, bytes }: { files: number; bytes: number }): string {
  if (files === 0) return 'Nothing lies there that nothing needs.';
  return `${files} files with ${bytes} bytes are needed by nothing; they go with the next daily sweep, or now: coferment objects sweep`;
}
