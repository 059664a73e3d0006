import { formatCertificateFingerprint, identityWords, type Invite, parseDuration } from '@coferment/consortium';
import { hexToBytes, loadCrypto, type SecretFlags } from '@coferment/crypto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { AgentError } from '../agent.error.js';
import { joinConsortium, type JoinWatcher } from '../enrolment/join.flow.js';
import { isMember, type Membership, readMembership } from '../enrolment/membership.file.js';
import { readSecret } from '../keys/store.secret.js';
import { printableLines } from '../printable.text.js';
import { type Answer, answer } from './command.output.js';
import { secretOptions } from './secret.options.js';

interface JoinOptions extends SecretFlags {
  data: string;
  trainingSeed?: string;
  /** Milliseconds; false for --no-wait. */
  wait: number | false;
  json?: boolean;
}

const USUAL_WAIT_MS = 15 * 60_000;

export function addMembershipCommands(program: Command): void {
  secretOptions(program.command('join'))
    .description('Join a consortium with an invite; makes the keys of this site and waits until the operator admits them')
    .argument('[invite]', 'file that holds the invite, or - for standard input; without it a join that was begun goes on')
    .requiredOption('--data <dir>', "folder for this site's keys and journal")
    .addOption(
      new Option('--wait <duration>', 'how long to wait to be admitted, e.g. "2 h"').argParser(parseWait).default(USUAL_WAIT_MS, '15 min'),
    )
    .option('--no-wait', 'ask once; run join again, without the invite, to go on')
    .option('--training-seed <hex>', 'seed of training and rounding, 64 hex digits; only to reproduce a demonstration', parseSeed)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
The invite is given as a file or on standard input, never as an argument: other users of this machine could read it there.

Examples:
  coferment-agent join invite-lab1.json --data /var/lib/coferment --passphrase-file /etc/coferment/passphrase
  coferment-agent join - --data /var/lib/coferment --passphrase-file /etc/coferment/passphrase < invite.txt`,
    )
    .action((inviteFile: string | undefined, options: JoinOptions) => answer(options, () => runJoin(inviteFile, options)));

  program
    .command('identity')
    .description("Show this site's name, its public identity key and the six words for it")
    .requiredOption('--data <dir>', 'data folder of this site')
    .option('--open', 'show the company and the salt behind a pseudonym, to prove to somebody whose it is')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment-agent identity --data /var/lib/coferment')
    .action((options: { data: string; open?: boolean; json?: boolean }) =>
      answer(options, () => {
        const member = readMembership(options.data);
        return options.open === true ? opened(member) : shown(member);
      }),
    );
}

async function runJoin(inviteFile: string | undefined, options: JoinOptions): Promise<Answer> {
  await loadCrypto();
  const { wait, trainingSeed } = options;
  const input = {
    folder: options.data,
    passphrase: await readSecret(options, { isNew: !isMember(options.data) }),
    waitMs: wait === false ? 0 : wait,
    ...(inviteFile === undefined ? {} : { inviteFile }),
    ...(trainingSeed === undefined ? {} : { trainingSeed: hexToBytes(trainingSeed) }),
  };
  try {
    return joined(await joinConsortium(input, progressOn(process.stderr)), options.data);
  } catch (error) {
    const isPending = error instanceof AgentError && error.code === 'not-admitted';
    if (wait === false && isPending) return { json: { state: 'pending' }, text: error.message };
    throw error;
  }
}

/** On standard error, so that standard output is the answer and nothing else. */
function progressOn(stream: NodeJS.WritableStream): JoinWatcher {
  const print = (text: string) => void stream.write(`${printableLines(text)}\n`);
  return {
    keysMade: ({ role, site, consortium, coordinator, caFingerprint }: Invite, words) =>
      print(
        [
          `Joining ${consortium} as the ${role} ${site}, at ${coordinator}.`,
          `Fingerprint of its certificate authority: ${formatCertificateFingerprint(caFingerprint)}`,
          `The keys are made and stay here. Their six words: ${words.join(' ')}`,
        ].join('\n'),
      ),
    waiting: (_, words) =>
      print(
        `Waiting for the operator. Read these six words out to them, by telephone or in person:\n\n  ${words.join(' ')}\n\nCtrl-C stops waiting and loses nothing: "coferment-agent join" without the invite goes on.`,
      ),
    stillWaiting: (why) => print(`Still waiting. ${why}`),
  };
}

function joined(member: Membership, folder: string): Answer {
  const { site, identityKey, consortium, role } = member;
  const words = wordsOf(member);
  const whose = role === 'site' ? 'Site' : 'Auditor';
  return {
    json: { state: 'joined', site, identityKey, consortium, role, words },
    text: `${whose} ${site} has joined ${consortium}.\nIdentity key: ${identityKey}\nIts six words: ${words}\nTell them to the operator and to the other sites by telephone or on paper. Back up ${folder} now.`,
  };
}

function shown(member: Membership): Answer {
  const { site, identityKey, consortium, role } = member;
  const words = wordsOf(member);
  const whose = role === 'site' ? 'Site' : 'Auditor';
  return {
    json: { site, identityKey, consortium, role, words },
    text: `${whose} ${site} of consortium ${consortium}\nIdentity key: ${identityKey}\nIts six words: ${words}`,
  };
}

/** @throws AgentError 'no-pseudonym' */
function opened({ site, identityKey, consortium, company, salt }: Membership): Answer {
  if (company === undefined || salt === undefined) {
    throw new AgentError(
      'no-pseudonym',
      `"${site}" is no pseudonym: sites of ${consortium} stand in its ledger by their names, so there is nothing to open.`,
    );
  }
  return {
    json: { site, company, salt, identityKey, consortium },
    text: `${site} of consortium ${consortium} is ${company}\nSalt: ${salt}\nIdentity key: ${identityKey}\nWhoever gets these lines can check them: coferment-audit pseudonym ${site} --company "${company}" --salt ${salt}\nFrom then on they know which entries of the ledger are this company's, and can prove it to others.`,
  };
}

function wordsOf({ consortium, site, identityKey }: Membership): string {
  return identityWords(consortium, site, identityKey).join(' ');
}

function parseWait(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('It must be a length of time such as "30 s", "15 min" or "2 h".');
  return ms;
}

function parseSeed(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text)) throw new InvalidArgumentError('A training seed is 64 lower-case hexadecimal digits.');
  return text;
}
