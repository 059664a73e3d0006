import { join } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { LedgerError } from '../errors/index.js';
import { type MirrorOutcome, mirrorLedger } from '../http/ledger.mirror.js';
import { shownData, shownText } from '../report/index.js';
import { type Conclude, DOES_NOT_HOLD, HOLDS, type Output, jsonText } from './audit.output.js';
import { type KeyFlags, readKeys } from './key.options.js';
import { type WebFlags, webOptions, webReaderOf } from './ledger.target.js';
import { progressLine } from './progress.line.js';

interface FetchFlags extends Pick<KeyFlags, 'key' | 'policy'>, WebFlags {
  withObjects?: boolean;
  maxGib: number;
  json?: boolean;
}

const GIB = 1024 ** 3;

export function addFetch(program: Command, output: Output, conclude: Conclude): void {
  webOptions(program.command('fetch'))
    .description('copy a ledger from a web server into a folder, and go on where an earlier copy ended')
    .argument('<url>', 'the address under which the ledger is served, e.g. https://ledger.example/acme')
    .argument('<folder>', 'where the copy is, or is to be')
    .addOption(new Option('--key <vkey>', "the log's key (name+hash+base64) as you got it from outside").conflicts('policy'))
    .option('--policy <file>', 'a policy file (C2SP tlog-policy): log keys, witnesses and their quorum')
    .option('--with-objects', 'also ciphertexts, shares and sums, as far as the server gives them: what "recompute" needs')
    .option('--max-gib <n>', 'stop after this much, whatever the server sends', wholeNumber, 50)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Everything is checked against the signed checkpoint before it is kept, and the copy that is there is replaced only by a ledger that begins with it. If the
server's ledger does not, the copy stays as it is, and both signed checkpoints are kept under <folder>/evidence. Statements are judged by "verify", after this.
Proxies are those of HTTPS_PROXY, HTTP_PROXY and NO_PROXY.

Exit code: 0 the copy is complete, 1 the server contradicts itself or the copy (says at which entry), 2 it could not be fetched.

Example:
  coferment-audit fetch https://ledger.example/acme ./acme --key 'ledger.example/acme+1a2b3c4d+AbCd...='`,
    )
    .action(async (url: string, folder: string, flags: FetchFlags) => {
      const { policy } = await readKeys(flags);
      const server = await webReaderOf(url, flags);
      const line = progressLine(output.err);
      try {
        const outcome = await mirrorLedger(server, folder, {
          policy,
          withObjects: flags.withObjects === true,
          maxBytes: flags.maxGib * GIB,
          progress: ({ what, done, total }) => line.show(`${done} of ${total} ${what}`),
          now: () => new Date(),
        });
        line.end();
        output.out(flags.json ? outcomeJson(outcome, folder) : outcomeText(outcome, folder));
        conclude(outcome.kind === 'copied' ? HOLDS : DOES_NOT_HOLD);
      } catch (error) {
        line.end();
        // What the server sent is not what its log signed: that is a finding, and no failure to check.
        if (!(error instanceof LedgerError)) throw error;
        const reason = `${error.message} Nothing that the copy had was replaced.`;
        output.out(
          flags.json ? jsonText({ kind: 'refused', code: error.code, reason }, 2) : `${url} does not hold: ${shownText(reason)}\n`,
        );
        conclude(DOES_NOT_HOLD);
      } finally {
        await server.close();
      }
    });
}

function outcomeText(found: MirrorOutcome, folder: string): string {
  const outcome = shownData(found);
  const { origin, before, served } = outcome;
  switch (outcome.kind) {
    case 'copied': {
      const { keyChecked, objects } = outcome;
      const lines = [
        served === before ? `${origin}: nothing new; ${served} entries` : `${origin}: ${served - before} new entries, now ${served}`,
      ];
      if (objects)
        lines.push(
          `Objects: ${objects.copied} copied, ${objects.present} were there` +
            (objects.notServed > 0 ? `, ${objects.notServed} are not given by this server` : ''),
        );
      if (!keyChecked) lines.push('The key was not checked: it is the one that came with the ledger. Give --key or --policy.');
      lines.push(`Next: coferment-audit verify ${folder} --key <vkey>`, '');
      return lines.join('\n');
    }
    case 'rolled-back':
      return (
        `${origin}: the server shows an older checkpoint, over ${served} entries; the copy has ${before}. As far as it goes, it is the same ledger: an old copy, or a log that hides ` +
        `its newest entries. The copy stays as it is. Both checkpoints are in ${join(folder, outcome.evidence)}\n`
      );
    case 'unproven':
      return (
        `${origin}: the server has signed a ledger of ${served} entries and does not show that it begins with the ${before} of the copy: ${outcome.reason} ` +
        `The copy stays as it is. Fetch again later; if it stays so, send what is in ${join(folder, outcome.evidence)} to the other members.\n`
      );
    case 'contradicts': {
      const { entry, folderSays, serverSays, evidence } = outcome;
      const where =
        entry === undefined
          ? `Both are over ${served} entries, and they have different roots. Which entry differs cannot be said: ${serverSays}`
          : `The first entry that differs is ${entry}: the copy has ${folderSays}, the server has ${serverSays}.`;
      return (
        `${origin}: the server's ledger (${served} entries) does not begin with the copy's (${before} entries). ${where}\n` +
        `The copy stays as it is. Both signed checkpoints are in ${join(folder, evidence)}: send them to the other members and the auditor.\n` +
        `They can check them with: coferment-audit evidence ${join(folder, evidence, 'evidence.json')} --key <vkey>\n`
      );
    }
  }
}

function outcomeJson(outcome: MirrorOutcome, folder: string): string {
  return jsonText({ ...outcome, ...('evidence' in outcome && { evidence: join(folder, outcome.evidence) }) }, 2);
}

function wholeNumber(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new InvalidArgumentError('It is not a whole number from 1 to 999999.');
  return Number(text);
}
