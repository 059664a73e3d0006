import { join } from 'node:path';
import { loadCrypto, type SecretFlags } from '@coferment/crypto';
import { copyLedger, writeFolder } from '@coferment/ledger';
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
  data: string;
  json?: boolean;
}

export function addLedgerCommands(program: Command): void {
  const ledger = program.command('ledger').description('The ledger of the consortium, for sites and auditors');
  secretOptions(ledger.command('export'))
    .description('Write the whole ledger into a folder, for coferment-audit verify, which needs no network')
    .requiredOption('--out <dir>', 'folder to write to')
    .requiredOption('--data <dir>', 'data folder of this site or auditor')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  coferment-agent ledger export --out ./ledger --data /var/lib/coferment --passphrase-file /etc/coferment/passphrase',
    )
    .action((options: ExportOptions) => answer(options, () => exportLedger(options)));
  addWitnessCommands(ledger);
}

async function exportLedger(options: ExportOptions): Promise<Answer> {
  const { out, data } = options;
  await loadCrypto();
  const member = readMembership(data);
  const store = KeyStore.open(join(data, 'keys'), await readSecret(options));
  const { entries, objects } = await callRenewed(data, member, store, async (current, credential) => {
    const client = new LedgerClient(endpointOf(current), credential);
    try {
      return await copyLedger(client, member.logVkey, writeFolder(out), (read, size) => {
        if (read < size) process.stderr.write(`${read} of ${size} entries\n`);
      });
    } finally {
      client.close();
    }
  });
  const { logVkey, operatorKey } = member;
  return {
    json: { entries, objects, logVkey, operatorKey, out },
    text: `${entries} entries and ${objects} objects are in ${out}. Verify them: coferment-audit verify ${out} --key "${logVkey}" --operator-key ${operatorKey}`,
  };
}
