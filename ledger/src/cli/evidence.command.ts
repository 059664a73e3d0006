import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { parseVkey } from '../note/index.js';
import { shownText } from '../report/index.js';
import { type SplitViewFinding, checkSplitView, parseSplitView } from '../witness/index.js';
import { COULD_NOT_CHECK, type Conclude, DOES_NOT_HOLD, HOLDS, type Output, jsonText } from './audit.output.js';

const exitCodes: Readonly<Record<SplitViewFinding['verdict'], number>> = {
  agrees: HOLDS,
  proved: DOES_NOT_HOLD,
  open: COULD_NOT_CHECK,
};

const verdicts: Readonly<Record<SplitViewFinding['verdict'], string>> = {
  agrees: 'There is no split view',
  proved: 'This proves a split view',
  open: 'This proves nothing yet',
};

export function addEvidence(program: Command, { out }: Output, conclude: Conclude): void {
  program
    .command('evidence')
    .description('check a file that is said to show that a log has told two different things')
    .argument('<file>', 'the evidence as an agent, "fetch" or a witness kept it')
    .addOption(new Option('--key <vkey>', "the log's key (name+hash+base64) as you got it from outside").makeOptionMandatory())
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Nobody has to be believed for this: both halves must be signed with the log's key, and they must contradict each other.

Exit code: 0 both halves say the same, 1 they prove that the log was split, 2 they prove neither, or are not signed by this key.

Example:
  coferment-audit evidence ./evidence.json --key 'ledger.example/acme+1a2b3c4d+AbCd...='`,
    )
    .action(async (file: string, { key, json }: { key: string; json?: boolean }) => {
      const evidence = parseSplitView(await readFile(file, 'utf8'));
      const { verdict, reason, sizes } = checkSplitView(evidence, [parseVkey(key)]);
      out(
        json
          ? jsonText({ origin: evidence.origin, verdict, reason, sizes }, 2)
          : `${verdicts[verdict]} of ${shownText(evidence.origin)}: ${shownText(reason)}.\n`,
      );
      conclude(exitCodes[verdict]);
    });
}
