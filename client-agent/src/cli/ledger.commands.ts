import { join } from 'node:path';
import { loadCrypto, type SecretFlags } from '@coferment/crypto';
import { copyLedger, progressLines } from '@coferment/ledger';
import type { Command } from 'commander';
import { LedgerClient } from '../connection/ledger.client.js';
import { readMembership } from '../enrolment/membership.file.js';
import { callRenewed } from '../enrolment/renewed.call.js';
import { endpointOf } from '../enrolment/renewal.flow.js';
import { KeyStore } from '../keys/key.store.js';
import { readSecret } from '../keys/store.secret.js';
import { type Answer, answer } from './command.output.js';
import { secretOptions } from './secret.options.js';
import { addWitnessCommands } from './witness.commands.js';

interface ExportOptions extends SecretFlags {
  out: string;
  withObjects?: boolean;
  data: string;
  json?: boolean;
}

export function addLedgerCommands(program: Command): void {
  const ledger = program.command('ledger').description('The ledger of the consortium, for sites and auditors');
  secretOptions(ledger.command('export'))
    .description('Write the whole ledger into a folder, for coferment-audit verify, which needs no network')
    .requiredOption('--out <dir>', 'folder to write to; what is there already is kept')
    .option('--with-objects', 'also the uploads and decryption shares that published sums were opened from, for coferment-audit recompute')
    .requiredOption('--data <dir>', 'data folder of this site or auditor')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  coferment-agent ledger export --out ./ledger --with-objects --data /var/lib/coferment --passphrase-file /etc/coferment/passphrase',
    )
    .action((options: ExportOptions) => answer(options, () => exportLedger(options)));
  addWitnessCommands(ledger);
}

async function exportLedger(options: ExportOptions): Promise<Answer> {
  const { out, data, withObjects = false } = options;
  await loadCrypto();
  const member = readMembership(data);
  const store = KeyStore.open(join(data, 'keys'), await readSecret(options));
  const { entries, uncosigned, objects, absent } = await callRenewed(data, member, store, async (current, credential) => {
    const client = new LedgerClient(endpointOf(current), credential);
    try {
      return await copyLedger(client, member.logVkey, out, { withObjects, progress: progressLines((line) => process.stderr.write(line)) });
    } finally {
      client.close();
    }
  });
  const { logVkey, operatorKey } = member;
  const keys = `--key "${logVkey}" --operator-key ${operatorKey}`;
  const lost =
    absent.length === 0
      ? ''
      : ` ${absent.length} uploads or decryption shares are not there for this reader (of runs that this site is not in, or lost); the first is ${absent[0]}.`;
  const behind =
    uncosigned === 0
      ? ''
      : ` The newest entries (${uncosigned}) are not among them: too few witnesses have cosigned them so far. Export again later, or ask the operator who is waited for.`;
  const recompute = withObjects ? `, and recompute all rounds: coferment-audit recompute ${out} --all ${keys}` : '';
  return {
    json: { entries, uncosigned, objects, absent, logVkey, operatorKey, out },
    text: `${entries} entries and ${objects} objects are in ${out}.${behind}${lost} Verify them: coferment-audit verify ${out} ${keys}${recompute}`,
  };
}
