import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsePlan, siteIdSchema } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { type Command, InvalidArgumentError } from 'commander';
import { AgentError } from '../agent.error.js';
import { lockFolder } from '../journal/folder.lock.js';
import { dropRules } from '../journal/policy.entries.js';
import { factsOfRequest } from '../policy/policy.facts.js';
import { POLICY_NAME, sitePolicy } from '../policy/policy.file.js';
import { parsePolicy } from '../policy/policy.parser.js';
import { evaluatePolicy, verdictOf } from '../policy/policy.rules.js';
import { policyText, verdictLines } from '../policy/policy.text.js';
import { type Answer, answer } from './command.output.js';
import { withJournal } from './site.journal.js';

interface ShowOptions {
  data: string;
  policy?: string;
  json?: boolean;
}

interface CheckOptions {
  plan?: string;
  sites?: string[];
  json?: boolean;
}

export function addPolicyCommands(program: Command): void {
  const policy = program.command('policy').description('The standing rules of this site about plans');
  policy
    .command('show')
    .description('The rules that are in force, in words')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--policy <file>', 'rules in another file than policy.yaml of the data folder')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent policy show --data /var/lib/coferment')
    .action((options: ShowOptions) =>
      answer(options, () => {
        const inForce = sitePolicy(options.data, options.policy).current();
        return { json: inForce, text: policyText(inForce.policy, inForce.file) };
      }),
    );
  policy
    .command('check')
    .description('Read a policy file and say what is wrong with it; with a plan, also what its rules say to the plan')
    .argument('<file>', 'policy file (YAML)')
    .option('--plan <file>', 'plan file (YAML)')
    .option('--sites <names>', 'sites of the run, comma-separated', parseSites)
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent policy check policy.yaml --plan plan.yaml --sites alder,birch,cedar')
    .action((file: string, options: CheckOptions) => answer(options, () => check(file, options)));
  policy
    .command('drop')
    .description('Say that this site serves without the rules that it had, after their file was removed; the record keeps that')
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent policy drop --data /var/lib/coferment')
    .action((options: ShowOptions) => answer(options, () => drop(options.data)));
}

/** Not while an agent serves: what it goes by is written down by itself. */
function drop(folder: string): Promise<Answer> {
  const path = join(folder, POLICY_NAME);
  return withJournal(folder, (journal) => {
    const lock = lockFolder(folder);
    try {
      if (existsSync(path))
        throw new AgentError('file-exists', `${path} is there, so its rules hold. Remove it first; nothing was changed.`);
      const dropped = dropRules(journal.record);
      const text =
        dropped === null
          ? 'This site had no rules; nothing was changed.'
          : `The rules with SHA-256 ${dropped} are dropped. From now on every run of a plan waits for a person, and floors of runs that are approved already hold no more.`;
      return { json: { dropped }, text };
    } finally {
      lock.release();
    }
  });
}

async function check(file: string, { plan: planFile, sites }: CheckOptions): Promise<Answer> {
  const policy = parsePolicy(readText(file), file);
  const text = policyText(policy, file);
  if (planFile === undefined) return { json: { file, policy }, text };
  if (sites === undefined)
    throw new AgentError('missing-file', 'What the rules say to a plan depends on its sites. Name them with --sites a,b,c.');
  await loadCrypto();
  const plan = parsePlan(readText(planFile));
  // Without a data folder nothing is known of earlier runs.
  const history = { earlierSites: [sites], roundsThisMonth: 0, epsilonSpent: 0 };
  const results = evaluatePolicy(policy, factsOfRequest(plan, sites, history));
  const verdict = verdictOf(policy, results);
  const told = `Plan "${plan.plan}" among ${sites.join(', ')}, as if it were the first run of the month over the usual sites: ${verdict}`;
  return {
    json: { file, policy, plan: plan.plan, sites, verdict, results },
    text: [text, '', told, ...verdictLines(results).map((line) => `  ${line}`)].join('\n'),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new AgentError('missing-file', `The file ${path} cannot be read (${(error as Error).message}). Check its path.`);
  }
}

function parseSites(text: string): string[] {
  const sites = text.split(',').map((site) => site.trim());
  const wrong = sites.find((site) => !siteIdSchema.safeParse(site).success);
  if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is no site name.`);
  if (new Set(sites).size !== sites.length) throw new InvalidArgumentError('It names a site twice.');
  return sites.sort();
}
