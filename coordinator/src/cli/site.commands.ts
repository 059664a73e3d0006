import { existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { identityWords, inviteLine, parseInvite, sameWords } from '@coferment/consortium';
import type { GetStatusResponse, SiteStatus } from '@coferment/proto';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { CoordinatorError } from '../errors/index.js';
import { replaceFile } from '../identity/sealed.file.js';
import { type OperatorClient, ask } from './operator.client.js';
import { type OperatorFlags, callOperator, operatorOptions } from './operator.command.js';
import { invitedText, membersJson, membersText, revokedText } from './site.text.js';

interface InviteFlags extends OperatorFlags {
  out?: string;
  line?: boolean;
  validHours: number;
  address: string;
  preAdmit?: boolean;
  role: 'site' | 'auditor';
}

export function addSites(program: Command): void {
  operatorOptions(
    program
      .command('invite <name>')
      .description('Make an invite for a site or an auditor. Hand it over by a channel that you trust; it works once.'),
  )
    .option('--out <file>', 'write the invite to this file')
    .option('--line', 'print the invite as one line of text')
    .option('--valid-hours <hours>', 'how long it may be used, 1 to 720', parseHours, 72)
    .option('--address <host:port>', 'where the site reaches the coordinator (default: the address it listens on)', '')
    .option('--pre-admit', 'let whoever brings the invite in at once, without "sites admit"')
    .addOption(new Option('--role <role>', 'what it may do').choices(['site', 'auditor']).default('site'))
    .addHelpText(
      'after',
      `
In a consortium with pseudonyms <name> is the company's own name.

Examples:
  coferment invite alpha --out alpha.invite.json --data ./coordinator --passphrase-file ./passphrase
  coferment invite alpha --line --data ./coordinator --passphrase-file ./passphrase`,
    )
    .action((name: string, flags: InviteFlags) => callOperator(flags, (client, output) => invite(client, output, name, flags)));

  const sites = program.command('sites').description('Who is a member, who waits, and who no longer is.');
  addList(sites);
  addAdmit(sites);

  operatorOptions(sites.command('refuse <name>').description('Turn a waiting identity away. Its invite lets nobody in any more.'))
    .addHelpText('after', '\nExample:\n  coferment sites refuse alpha --data ./coordinator --passphrase-file ./passphrase')
    .action((name: string, flags: OperatorFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const { site } = find(await ask(operator.getStatus.bind(operator), {}), name);
        await ask(operator.refuseSite.bind(operator), { site });
        output.result({ site, state: 'revoked' }, `"${site}" is refused. Invite it again if that was a mistake.`);
      }),
    );

  operatorOptions(sites.command('remove <name>').description('End a membership in order: not while a run still counts on the site.'))
    .option('--reason <text>', 'stands in the ledger', '')
    .addHelpText(
      'after',
      '\nExample:\n  coferment sites remove alpha --reason "contract ended" --data ./coordinator --passphrase-file ./passphrase',
    )
    .action((name: string, flags: OperatorFlags & { reason: string }) =>
      callOperator(flags, async ({ operator }, output) => {
        const { site } = find(await ask(operator.getStatus.bind(operator), {}), name);
        await ask(operator.removeSite.bind(operator), { site, reason: flags.reason });
        output.result({ site, removed: true }, `"${site}" is a member no longer.`);
      }),
    );

  operatorOptions(program.command('revoke <name>').description('Refuse every further call of a member, at once and for good.'))
    .option('--reason <text>', 'stands in the ledger', '')
    .addHelpText(
      'after',
      '\nExample:\n  coferment revoke alpha --reason "laptop stolen" --data ./coordinator --passphrase-file ./passphrase',
    )
    .action((name: string, flags: OperatorFlags & { reason: string }) =>
      callOperator(flags, async ({ operator }, output) => {
        const status = await ask(operator.getStatus.bind(operator), {});
        const { site } = find(status, name);
        await ask(operator.revokeSite.bind(operator), { site, reason: flags.reason });
        output.result({ site, state: 'revoked' }, revokedText(site, status));
      }),
    );
}

type Output = Parameters<Parameters<typeof callOperator>[1]>[1];

async function invite({ operator }: OperatorClient, output: Output, name: string, flags: InviteFlags): Promise<void> {
  const { out, line, validHours, address, preAdmit, role } = flags;
  if (out === undefined && line !== true)
    throw new CoordinatorError('malformed', 'Say how the invite is to be handed over: --out FILE, --line, or both.');
  if (out !== undefined && !existsSync(dirname(out)))
    throw new CoordinatorError(
      'malformed',
      `There is no folder ${dirname(out)} for the invite. Make it, or give another --out; nothing was changed.`,
    );
  const made = await ask(operator.createInvite.bind(operator), {
    site: name,
    validHours,
    address,
    preAdmitted: preAdmit === true,
    role,
  });
  if (out !== undefined) writeInvite(out, made.invite);
  const parsed = parseInvite(made.invite);
  const { site, caFingerprint, expiresAt } = parsed;
  const json = {
    site,
    role,
    file: out ?? null,
    preAdmitted: preAdmit === true,
    expiresAt,
    caFingerprint,
    ...(line === true ? { line: inviteLine(parsed) } : {}),
  };
  output.result(json, invitedText(parsed, { ...flags, name }));
}

/** For its owner only, whatever rights a file that was there had. What is no file, such as a pipe, is only written to. */
function writeInvite(path: string, invite: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() ?? true) replaceFile(path, invite);
  else writeFileSync(path, invite);
}

function addList(sites: Command): void {
  operatorOptions(
    sites.command('list').description('All members: state, role, the words of their identity keys, when they were last heard of.'),
  )
    .addHelpText('after', '\nExample:\n  coferment sites list --data ./coordinator --passphrase-file ./passphrase')
    .action((flags: OperatorFlags) =>
      callOperator(flags, async ({ operator }, output) => {
        const status = await ask(operator.getStatus.bind(operator), {});
        output.result(membersJson(status), membersText(status));
      }),
    );
}

function addAdmit(sites: Command): void {
  operatorOptions(sites.command('admit <name>').description('Let a waiting identity in, after its six words were compared with the site.'))
    .option('--words <six words>', 'the words that the site read out; compared with those of the key that waits')
    .addHelpText(
      'after',
      '\nExample:\n  coferment sites admit alpha --words "able acid zoo bean car dog" --data ./coordinator --passphrase-file ./passphrase',
    )
    .action((name: string, flags: OperatorFlags & { words?: string }) =>
      callOperator(flags, async ({ operator }, output) => {
        const status = await ask(operator.getStatus.bind(operator), {});
        const { site, identityKey, state } = find(status, name);
        if (identityKey === '')
          throw new CoordinatorError('not-pending', `"${site}" is ${state}: nobody has brought its invite, so there is no key to admit.`);
        const words = identityWords(status.consortium, site, identityKey);
        await confirm(site, words, flags.words);
        await ask(operator.admitSite.bind(operator), { site, identityKey });
        output.result(
          { site, state: 'enrolled', identityKey, words: words.join(' ') },
          `"${site}" is admitted. Its agent notices within half a minute.`,
        );
      }),
    );
}

/** @throws CoordinatorError 'other-identity' unless the words were compared by somebody */
async function confirm(site: string, words: readonly string[], told: string | undefined): Promise<void> {
  const shown = words.join(' ');
  if (told !== undefined) {
    if (sameWords(told, words)) return;
    throw new CoordinatorError(
      'other-identity',
      `The key that waits for "${site}" has the words "${shown}", not the ones that were given. Nobody was admitted. If the site reads out others, somebody else has used its invite: coferment sites refuse ${site}`,
    );
  }
  process.stderr.write(`The identity key that waits for "${site}" has the words:\n\n  ${shown}\n\n`);
  if (!process.stdin.isTTY)
    throw new CoordinatorError(
      'other-identity',
      'Nobody was admitted: without a terminal the words that the site read out are given as --words "…".',
    );
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await dialogue.question('Has the site read out exactly these words? Type yes to admit it: ');
    if (answer.trim().toLowerCase() !== 'yes') throw new CoordinatorError('other-identity', 'Nobody was admitted.');
  } finally {
    dialogue.close();
  }
}

function parseHours(text: string): number {
  const hours = Number(text);
  if (!Number.isInteger(hours) || hours < 1 || hours > 720)
    throw new InvalidArgumentError('It must be a whole number of hours from 1 to 720.');
  return hours;
}

/** By its name, or by the name of the company behind a pseudonym. */
function find(status: GetStatusResponse, name: string): SiteStatus {
  const found = status.sites.find(({ site }) => site === name) ?? status.sites.find(({ company }) => company !== '' && company === name);
  if (found !== undefined) return found;
  throw new CoordinatorError('unknown-site', `There is no site "${name.slice(0, 100)}" in this consortium. See: coferment sites list`);
}
