import { createHash } from 'node:crypto';
import { type Identity, PAYLOAD_TYPE, signEnvelope } from '@coferment/crypto';

/*
 * Changes a decoded message the way an attacker would who knows its format: any field, any list, the JSON inside any signed act, signed again by whom the
 * attacker controls, and at last any byte of the encoding. Every choice is a number of the dice, so that a failing case shrinks and repeats.
 */

/** Non-negative numbers that decide, used up from the front; 0 once they are used up. */
export class Dice {
  #next = 0;

  constructor(private readonly numbers: readonly number[]) {}

  below(limit: number): number {
    return limit < 1 ? 0 : (this.numbers[this.#next++] ?? 0) % limit;
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }
}

/** The same dice for the same seed and name of a case, whatever ran before. */
export function diceOf(...of: readonly (string | number)[]): Dice {
  const blocks = Array.from({ length: 16 }, (_, block) =>
    createHash('sha256')
      .update([...of, block].join(' '))
      .digest(),
  );
  return new Dice(blocks.flatMap((digest) => Array.from({ length: 8 }, (_, at) => digest.readUInt32LE(4 * at))));
}

type Key = string | number;
type Container = Record<Key, unknown>;

const isContainer = (value: unknown): value is Container => typeof value === 'object' && value !== null && !(value instanceof Uint8Array);
const isEnvelope = (value: unknown): value is { payload: Uint8Array; keyid: string; signature: Uint8Array } =>
  isContainer(value) && value['payload'] instanceof Uint8Array && 'keyid' in value;

/** Every place in a message: the container, and the key of what is in it. */
function placesIn(root: Container): { holder: Container; key: Key }[] {
  const own = Object.keys(root).map((key) => ({ holder: root, key }));
  return own.flatMap((place) => {
    const value = place.holder[place.key];
    return isContainer(value) ? [place, ...placesIn(value)] : [place];
  });
}

/** A copy of `message` with one to three changes. `signers` are identities under the attacker's control. */
export function mutate<T extends object>(message: T, dice: Dice, signers: readonly Identity[]): T {
  const root = { message: structuredClone(message) };
  const changes = 1 + dice.below(3);
  for (let change = 0; change < changes; change++) changeOne(root, dice, signers);
  return root.message;
}

function changeOne(root: Container, dice: Dice, signers: readonly Identity[]): void {
  const places = placesIn(root);
  const { holder, key } = dice.of(places);
  const value = holder[key];
  if (isEnvelope(value) && dice.below(4) > 0) return changeAct(value, dice, signers);
  if (Array.isArray(value)) holder[key] = changedList(value, dice);
  else if (isContainer(value)) changeFields(value, dice);
  else if (value instanceof Uint8Array) holder[key] = changedBytes(value, dice, places);
  else if (typeof value === 'string') holder[key] = changedText(value, dice, places);
  else if (typeof value === 'number')
    holder[key] = dice.of([value + 1, value + 1, Math.max(0, value - 1), 0, 1_000_000, 4_294_967_295, dice.below(300)]);
  else if (typeof value === 'boolean') holder[key] = !value;
}

/** Another content under the old signature, or under one of the attacker's own. */
function changeAct(
  envelope: { payload: Uint8Array; keyid: string; signature: Uint8Array },
  dice: Dice,
  signers: readonly Identity[],
): void {
  try {
    const statement = { content: JSON.parse(Buffer.from(envelope.payload).toString()) as unknown };
    if (dice.below(5) > 0) changeOne(statement, dice, []);
    envelope.payload = Buffer.from(JSON.stringify(statement.content));
  } catch {
    envelope.payload = changedBytes(envelope.payload, dice, []);
  }
  const signer = dice.below(2) === 0 ? undefined : dice.of(signers);
  if (signer === undefined) return;
  const signed = signEnvelope(envelope.payload, signer);
  if (signed.payloadType !== PAYLOAD_TYPE) throw new Error('another payload type');
  envelope.keyid = signed.signatures[0].keyid;
  envelope.signature = Buffer.from(signed.signatures[0].sig, 'base64');
}

function changeFields(value: Container, dice: Dice): void {
  const keys = Object.keys(value).filter((key) => key !== '$case');
  if (keys.length === 0) return;
  const key = dice.of(keys);
  if (dice.below(2) === 0) delete value[key];
  else value[dice.of(keys)] = structuredClone(value[key]);
}

function changedList(list: readonly unknown[], dice: Dice): unknown[] {
  const index = dice.below(list.length);
  const other = dice.below(list.length);
  const element = list[index];
  switch (dice.below(6)) {
    case 0:
      return list.filter((_, at) => at !== index);
    case 1:
      return [...list, structuredClone(element)];
    case 2:
      return list.toReversed();
    case 3:
      return list.with(index, list[other]).with(other, element);
    case 4:
      return [];
    default:
      return Array.from({ length: 300 }, () => structuredClone(element));
  }
}

function changedText(text: string, dice: Dice, places: readonly { holder: Container; key: Key }[]): string {
  const others = places.map(({ holder, key }) => holder[key]).filter((value) => typeof value === 'string');
  const at = dice.below(text.length);
  const digit = dice.below(16).toString(16);
  const flipped = text.slice(0, at) + digit + text.slice(at + 1);
  // Most changes keep the form, so that they get past the first look.
  if (dice.below(3) > 0) return flipped;
  return dice.of(['', dice.of(others) ?? '', 'x'.repeat(5000), '__proto__', '../../x', text.toUpperCase(), `${text}\0`, `${text} `]);
}

function changedBytes(bytes: Uint8Array, dice: Dice, places: readonly { holder: Container; key: Key }[]): Uint8Array {
  const others = places.map(({ holder, key }) => holder[key]).filter((value) => value instanceof Uint8Array);
  const at = dice.below(bytes.length);
  switch (dice.below(6)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return Buffer.concat([bytes, Buffer.alloc(1 + dice.below(100))]);
    case 2:
      return new Uint8Array();
    case 3:
      return dice.of(others) ?? bytes;
    default:
      return withFlip(bytes, at, dice.below(8));
  }
}

function withFlip(bytes: Uint8Array, at: number, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  if (at < copy.length) copy[at]! ^= 1 << bit;
  return copy;
}

/** Breaks the encoding itself in a quarter of all cases. */
export function mutateEncoding(bytes: Uint8Array, dice: Dice): Uint8Array {
  if (dice.below(4) > 0) return bytes;
  const at = dice.below(bytes.length);
  switch (dice.below(4)) {
    case 0:
      return bytes.slice(0, at);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([dice.below(256), dice.below(256)]), bytes.subarray(at)]);
    case 2:
      return Buffer.concat([bytes, bytes.subarray(at)]);
    default:
      return withFlip(bytes, at, dice.below(8));
  }
}
