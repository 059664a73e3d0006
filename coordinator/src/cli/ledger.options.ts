import { type Command, InvalidArgumentError, Option } from 'commander';
import { CoordinatorError } from '../errors/index.js';
import type { Charter } from '../identity/consortium.facts.js';
import type { LedgerListening } from '../ledger-http/ledger.server.js';
import { MOST_WITNESS_SERVERS, parseWitnessAddress, parseWitnessKey } from '../witnessing/witness.address.js';

/** Of `coferment start`: who may read the ledger, who cosigns it, and where it is served. */
export interface LedgerFlags {
  ledgerReaders?: Charter['ledgerReaders'];
  siteNames?: Charter['siteNames'];
  witnessQuorum?: Charter['witnessQuorum'];
  charterWitness?: string[];
  witness?: string[];
  ledgerListen?: string;
  ledgerTlsCert?: string;
  ledgerTlsKey?: string;
}

export function ledgerOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--ledger-readers <who>', 'charter of a new consortium: who may read the ledger (default: members-and-auditors)').choices([
        'members',
        'members-and-auditors',
        'anyone',
      ]),
    )
    .addOption(
      new Option('--site-names <form>', 'charter of a new consortium: how sites are called in the ledger (default: plain)').choices([
        'plain',
        'pseudonyms',
      ]),
    )
    .option(
      '--witness-quorum <number>',
      'charter of a new consortium: how many witnesses must have cosigned a checkpoint, or "majority" of the sites (default: 2)',
      parseQuorum,
    )
    .option('--charter-witness <vkey>', 'charter of a new consortium: a witness outside of it that counts; again for each', eachKey)
    .option(
      '--witness <vkey url>',
      'call this witness outside the consortium, "VKEY URL"; again for each. Kept for later starts; "none" ends it',
      eachWitness,
    )
    .option('--ledger-listen <host:port>', 'serve the ledger to anybody over HTTP; needs a charter with --ledger-readers anyone')
    .option('--ledger-tls-cert <file>', 'serve it over HTTPS: certificate with its chain, PEM')
    .option('--ledger-tls-key <file>', 'and its private key, PEM');
}

export function charterOf({ ledgerReaders, siteNames, witnessQuorum, charterWitness }: LedgerFlags): Partial<Charter> {
  return {
    ...(ledgerReaders === undefined ? {} : { ledgerReaders }),
    ...(siteNames === undefined ? {} : { siteNames }),
    ...(witnessQuorum === undefined ? {} : { witnessQuorum }),
    ...(charterWitness === undefined ? {} : { witnesses: charterWitness }),
  };
}

/** @throws CoordinatorError 'malformed' when one of two files is missing, or they are for nothing */
export function listeningOf({ ledgerListen: listen, ledgerTlsCert, ledgerTlsKey }: LedgerFlags): LedgerListening | undefined {
  if ((ledgerTlsCert === undefined) !== (ledgerTlsKey === undefined) || (listen === undefined && ledgerTlsCert !== undefined))
    throw new CoordinatorError('malformed', 'HTTPS for the ledger needs all of --ledger-listen, --ledger-tls-cert and --ledger-tls-key.');
  if (listen === undefined) return undefined;
  if (ledgerTlsCert === undefined || ledgerTlsKey === undefined) return { listen };
  return { listen, tls: { certificateFile: ledgerTlsCert, keyFile: ledgerTlsKey } };
}

function parseQuorum(text: string): Charter['witnessQuorum'] {
  if (text === 'majority') return text;
  if (/^(?:0|[1-9][0-9]?)$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 0 to 99, or "majority".');
}

function eachKey(vkey: string, before: string[] = []): string[] {
  refusing(() => parseWitnessKey(vkey));
  return [...before, vkey];
}

function eachWitness(text: string, before: string[] = []): string[] {
  if (text === 'none') return [];
  refusing(() => parseWitnessAddress(text));
  if (before.length === MOST_WITNESS_SERVERS)
    throw new InvalidArgumentError(`At most ${MOST_WITNESS_SERVERS} witnesses outside the consortium are called. Leave some out.`);
  return [...before, text];
}

function refusing(parse: () => unknown): void {
  try {
    parse();
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
