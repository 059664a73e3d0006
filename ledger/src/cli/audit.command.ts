import { readFile, stat } from 'node:fs/promises';
import { pseudonymOf, saltSchema } from '@coferment/consortium';
import { Command, Option } from 'commander';
import { parseVkey } from '../note/index.js';
import { type WitnessPolicy, parsePolicy, policyOfLogKey } from '../policy/index.js';
import { type Verdict, type VerifyOptions, verifyExport } from '../verify/index.js';
import { readFolder } from '../export/index.js';
import { programVersion } from './program.version.js';
import { reportText } from './report.text.js';

const exitCodes: Readonly<Record<Verdict, number>> = { holds: 0, 'does-not-hold': 1, 'could-not-check': 2, 'self-consistent': 2 };
const COULD_NOT_CHECK = 2;

interface VerifyFlags {
  key?: string;
  policy?: string;
  operatorKey?: string;
  earlier?: string;
  json?: boolean;
}

export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
}

/**
 * Runs the command with the words behind its name.
 * @returns the exit code: 0 holds, 1 does not hold, 2 could not be checked (also: wrong use)
 */
export async function runAudit(words: readonly string[], output: Output): Promise<number> {
  let exitCode = COULD_NOT_CHECK;
  const program = auditProgram(output, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    // Commander has already printed what it throws: help (exit code 0) or wrong use.
    if (error instanceof Error && 'exitCode' in error) return error.exitCode === 0 ? 0 : COULD_NOT_CHECK;
    output.err(`coferment-audit: could not check: ${(error as Error).message}\n`);
    return COULD_NOT_CHECK;
  }
  return exitCode;
}

/** `coferment-audit` with all its commands, which conclude with an exit code. @throws CommanderError from parsing: wrong use, or help */
export function auditProgram({ out, err }: Output, conclude: (exitCode: number) => void): Command {
  const program = new Command('coferment-audit')
    .description('Checks an exported contribution ledger. It needs no network, no account, and no trust in whoever made the export.')
    .version(programVersion(), '--version', 'print the version')
    .configureOutput({ writeOut: out, writeErr: err })
    .exitOverride();
  program
    .command('verify')
    .description('check everything that an exported ledger claims')
    .argument('<folder>', 'the exported ledger: checkpoint, tile/, payloads/')
    .addOption(new Option('--key <vkey>', "the log's key (name+hash+base64) as you got it from outside this export").conflicts('policy'))
    .option('--policy <file>', 'a policy file (C2SP tlog-policy): log keys, witnesses and their quorum')
    .option('--operator-key <hex>', 'the key that must have founded the consortium')
    .option('--earlier <file>', 'a checkpoint of this log that you saw before; the export must extend it')
    .option('--json', 'print the whole report as JSON')
    .addHelpText(
      'after',
      `
Exit code: 0 everything holds, 1 something does not hold, 2 something could not be checked. Without --key or --policy the export is checked with
the key that it names itself: that finds damage, but not a forger who made all of it, so the exit code is then 2 at best.

Example:
  coferment-audit verify ./ledger-export --key 'ledger.example.com/fermentation+1a2b3c4d+AbCd...='`,
    )
    .action(async (folder: string, flags: VerifyFlags) => {
      await requireFolder(folder);
      const report = await verifyExport(readFolder(folder), await optionsOf(flags));
      out(flags.json ? `${JSON.stringify(report, undefined, 2)}\n` : reportText(report));
      conclude(exitCodes[report.verdict]);
    });
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
      out(json ? `${JSON.stringify({ site, company, opened, isTheirs })}\n` : `${verdict}\n`);
      conclude(isTheirs ? 0 : 1);
    });
  return program;
}

async function optionsOf({ key, policy, operatorKey, earlier }: VerifyFlags): Promise<VerifyOptions> {
  if (operatorKey !== undefined && !/^[0-9a-f]{64}$/.test(operatorKey)) {
    throw new Error(`--operator-key "${operatorKey}" is not 64 lower-case hexadecimal digits`);
  }
  return {
    ...(key === undefined ? {} : { policy: policyOfLogKey(parseVkey(key)) }),
    ...(policy === undefined ? {} : { policy: await readPolicy(policy) }),
    ...(operatorKey === undefined ? {} : { operatorKey }),
    ...(earlier === undefined ? {} : { earlier: await readFile(earlier) }),
  };
}

async function readPolicy(file: string): Promise<WitnessPolicy> {
  const policy = parsePolicy(await readFile(file, 'utf8'));
  if (policy.logs.length === 0) throw new Error(`the policy in "${file}" names no log; add a line "log <vkey>"`);
  return policy;
}

async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new Error(`"${folder}" is not a folder; give the folder of an exported ledger`);
}
