import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseStatement, type Roster, setDigest, type Statement } from '@coferment/consortium';
import {
  type AggregationParameters,
  type Combination,
  combine,
  decryptionShare,
  openDealingShare,
  parameterSet,
  shareBytes,
} from '@coferment/crypto';
import { EpochSecrets } from '../../client-agent/src/keys/epoch.secrets.js';
import { KeyStore } from '../../client-agent/src/keys/key.store.js';

/** Everything the attackers hold: the coordinator's whole data folder, and folders and passphrases of sites that help it. */
export interface Loot {
  readonly objects: string;
  /** payloads/ of the exported ledger. */
  readonly payloads: string;
  readonly colluders: readonly { readonly site: string; readonly folder: string; readonly passphraseFile: string }[];
}

export interface Target {
  readonly victim: string;
  readonly run: string;
  readonly round: number;
  readonly roster: Roster;
  readonly parameters: AggregationParameters;
}

/** What the attackers read in the ledger about the sum that holds the victim's update. */
export interface FrozenRound {
  readonly frozen: Statement<'round-frozen'>['predicate'];
  readonly uploads: ReadonlyMap<string, Uint8Array>;
  readonly shares: ReadonlyMap<number, Uint8Array>;
  readonly sumObject: Uint8Array;
}

export function readFrozenRound({ objects, payloads }: Loot, { run, round, roster }: Target): FrozenRound {
  const statements = readdirSync(payloads).map((file) => parseStatement(readFileSync(join(payloads, file))));
  const frozen = statements.filter((entry) => entry.name === 'round-frozen').map((entry) => entry.predicate);
  const found = frozen.find((entry) => entry.run === run && entry.kind === 'update' && entry.round === round);
  if (found === undefined) throw new Error(`round ${round} is not in the ledger`);
  const object = (digest: string): Uint8Array => new Uint8Array(readFileSync(join(objects, digest)));
  const uploads = new Map<string, Uint8Array>();
  const shares = new Map<number, Uint8Array>();
  let sumObject: Uint8Array | undefined;
  for (const entry of statements) {
    if (entry.name === 'contribution' && entry.predicate.k === found.k) uploads.set(entry.predicate.site, object(entry.predicate.object));
    if (entry.name === 'aggregate' && entry.predicate.t === found.t) sumObject = object(entry.predicate.sumObject);
    if (entry.name === 'share' && entry.predicate.t === found.t) {
      const { site, object: digest } = entry.predicate;
      shares.set(
        roster.keyHolders.findIndex((holder) => holder.site === site),
        object(digest),
      );
    }
  }
  if (sumObject === undefined) throw new Error(`the sum of round ${round} is not in the ledger`);
  return { frozen: found, uploads, shares, sumObject };
}

export function passphraseIn(file: string): string {
  return readFileSync(file, 'utf8').trimEnd();
}

/** The honest way: all uploads of the set and the published shares. */
export function openSum({ parameters }: Target, round: FrozenRound): Combination {
  const uploads = round.frozen.counted.map(({ site }) => round.uploads.get(site)!);
  return combine({ parameters, sum: uploads, coefficients: coefficientsOf(round), addends: uploads.length, shares: round.shares });
}

/** Shares for the set of the victim alone, computed exactly as the protocol would for a set that nobody certified. */
function forgedShares(loot: Loot, target: Target, round: FrozenRound): Map<number, Uint8Array> {
  const { victim, parameters, roster } = target;
  const coefficients = coefficientsOf(round);
  const forged = new Map<number, Uint8Array>();
  for (const { site, folder, passphraseFile } of loot.colluders) {
    const holderIndex = roster.keyHolders.findIndex((holder) => holder.site === site);
    const secrets = new EpochSecrets(KeyStore.open(join(folder, 'keys'), passphraseIn(passphraseFile)), target.run, round.frozen.epoch);
    forged.set(
      holderIndex,
      decryptionShare({
        parameters,
        k: round.frozen.k,
        setDigest: setDigest([victim]),
        kind: 'update',
        holder: site,
        holderIndex,
        keyShareSum: secrets.keyShare(victim),
        noiseKey: secrets.noiseKey(),
        coefficients,
      }),
    );
  }
  return forged;
}

/** What is there to make a missing share from. */
export interface FillerContext {
  readonly holderIndex: number;
  readonly forged: ReadonlyMap<number, Uint8Array>;
  readonly round: FrozenRound;
  readonly parameters: AggregationParameters;
}

/** One way to make up the shares that are missing to the threshold. */
export type Filler = (context: FillerContext) => Uint8Array;

const zeros = ({ round, parameters }: FillerContext): Uint8Array => new Uint8Array(shareBytes(coefficientsOf(round), parameters));

/** What a key share that was drawn at random gives: coefficients without meaning, in the form of a share. */
function randomShare({ holderIndex, round, parameters }: FillerContext): Uint8Array {
  const { degree, dataPrimes } = parameterSet(parameters.set);
  // Words below 2^59 are below every prime.
  const keyShareSum = new Uint8Array(randomBytes(degree * dataPrimes.length * 8)).map((byte, at) => (at % 8 === 7 ? byte & 0x07 : byte));
  return decryptionShare({
    parameters,
    k: round.frozen.k,
    setDigest: round.frozen.k,
    kind: 'update',
    holder: 'nobody',
    holderIndex,
    keyShareSum,
    noiseKey: new Uint8Array(randomBytes(32)),
    coefficients: coefficientsOf(round),
  });
}

export const FILLERS: Readonly<Record<string, Filler>> = {
  'shares of zeros': zeros,
  'random shares': randomShare,
  'published shares of the sum': (context) => context.round.shares.get(context.holderIndex) ?? zeros(context),
  'a copy of a colluder': (context) => context.forged.values().next().value ?? zeros(context),
};

/** Tries to open the victim's upload alone, with what the colluders know and made-up shares for the rest. */
export function openVictim(loot: Loot, target: Target, round: FrozenRound, filler: Filler): Combination {
  const { parameters, roster, victim } = target;
  const forged = forgedShares(loot, target, round);
  const shares = new Map(forged);
  const coefficients = coefficientsOf(round);
  for (let index = 0; index < roster.keyHolders.length && shares.size < parameters.threshold; index++) {
    if (!shares.has(index)) shares.set(index, filler({ holderIndex: index, forged, round, parameters }));
  }
  return combine({ parameters, sum: [round.uploads.get(victim)!], coefficients, addends: 1, shares });
}

/** Opens the boxes that the victim sealed for other holders with the colluders' keys. Returns how many opened. */
export function stealBoxes(loot: Loot, { victim, run, roster }: Target, epoch: number): { tried: number; opened: number } {
  const statements = readdirSync(loot.payloads).map((file) => parseStatement(readFileSync(join(loot.payloads, file))));
  const dealing = statements.find((entry) => entry.name === 'dealing' && entry.predicate.site === victim);
  if (dealing?.name !== 'dealing') throw new Error(`no dealing of ${victim} in the ledger`);
  const dealerPublic = Buffer.from(roster.sealingKeys.find((entry) => entry.site === victim)!.key, 'hex');
  const colluders = new Set(loot.colluders.map(({ site }) => site));
  const outcome = { tried: 0, opened: 0 };
  for (const { holder, object } of dealing.predicate.boxes.filter((box) => !colluders.has(box.holder))) {
    for (const { folder, passphraseFile } of loot.colluders) {
      outcome.tried++;
      const secrets = new EpochSecrets(KeyStore.open(join(folder, 'keys'), passphraseIn(passphraseFile)), run, epoch);
      try {
        const box = readFileSync(join(loot.objects, object));
        openDealingShare({ e0: dealing.predicate.e0, dealer: victim, holder }, box, dealerPublic, secrets.sealingKey());
        outcome.opened++;
      } catch {
        // Refused, as it must be.
      }
    }
  }
  return outcome;
}

/** Pieces of a secret, spread over it, long enough to stand nowhere by chance. */
export function piecesOf(secret: Uint8Array): Buffer[] {
  const length = 48;
  return [0.1, 0.3, 0.5, 0.7, 0.9].map((at) =>
    Buffer.from(secret.subarray(Math.floor(at * secret.length), Math.floor(at * secret.length) + length)),
  );
}

/** Files in a folder that hold one of the pieces. */
export function filesWith(folder: string, pieces: readonly Buffer[]): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => {
      const bytes = readFileSync(file);
      return pieces.some((piece) => bytes.includes(piece));
    });
}

/** A published sum has one word a coefficient. */
function coefficientsOf({ sumObject }: FrozenRound): number {
  return sumObject.length / 8;
}
