import { LedgerError } from '../errors/index.js';
import { type VerifierKey, parseVkey } from '../note/index.js';

/** Whom a reader believes: which logs, and how many of which witnesses must have cosigned (C2SP tlog-policy). */
export interface WitnessPolicy {
  readonly logs: readonly VerifierKey[];
  readonly witnesses: readonly VerifierKey[];
  /** The name on its quorum line; undefined when the policy asks for none. */
  readonly quorum: string | undefined;
  /** Whether these keys, all verified on one checkpoint, meet the quorum. */
  isMetBy(verifiedBy: readonly VerifierKey[]): boolean;
}

type Member = (cosigned: ReadonlySet<VerifierKey>) => boolean;

const MAX_LINES = 1000;

/** A policy that a single log key makes: no witness is asked for. */
export function policyOfLogKey(key: VerifierKey): WitnessPolicy {
  if (key.kind !== 'log') throw malformed(`"${key.name}" is a witness's key; a log's key is needed`);
  return { logs: [key], witnesses: [], quorum: undefined, isMetBy: () => true };
}

/** @throws LedgerError 'malformed-policy', or 'malformed-key' for one of its keys */
export function parsePolicy(text: string): WitnessPolicy {
  const lines = text.split('\n').map((line) => line.trim().split(/[ \t]+/));
  if (lines.length > MAX_LINES) throw malformed(`it has ${lines.length} lines; at most ${MAX_LINES} are read`);
  const logs: VerifierKey[] = [];
  const witnesses: VerifierKey[] = [];
  const members = new Map<string, Member>();
  const grouped = new Set<string>();
  let quorum: { words: string | undefined; isMet: Member } | undefined;

  const define = (name: string | undefined, member: Member) => {
    if (!name || name === 'none' || members.has(name)) throw malformed(`the name "${name ?? ''}" is missing, reserved or used twice`);
    members.set(name, member);
  };

  for (const [keyword = '', ...words] of lines) {
    if (keyword === '' || keyword.startsWith('#')) continue;
    switch (keyword) {
      case 'log':
        logs.push(requireKey(words[0], 'log', logs));
        break;
      case 'witness': {
        const key = requireKey(words[1], 'witness', witnesses);
        witnesses.push(key);
        define(words[0], (cosigned) => cosigned.has(key));
        break;
      }
      case 'group': {
        const [name, threshold = '', ...names] = words;
        const group = names.map((member) => {
          const known = members.get(member);
          if (!known || grouped.has(member))
            throw malformed(`group "${name}" names "${member}", which is not defined above or is in a group already`);
          grouped.add(member);
          return known;
        });
        const needed =
          threshold === 'all' ? names.length : threshold === 'any' ? 1 : /^[1-9][0-9]{0,3}$/.test(threshold) ? Number(threshold) : 0;
        if (needed < 1 || needed > names.length) throw malformed(`group "${name}" asks for "${threshold}" of ${names.length}`);
        define(name, (cosigned) => group.filter((member) => member(cosigned)).length >= needed);
        break;
      }
      case 'quorum': {
        const member = words[0] === 'none' ? () => true : members.get(words[0] ?? '');
        if (quorum || !member || words.length !== 1)
          throw malformed('there must be one quorum line, which names a witness or group defined above it');
        quorum = { words: words[0] === 'none' ? undefined : words[0], isMet: member };
        break;
      }
      default:
        throw malformed(`"${keyword.slice(0, 40)}" is not a kind of line`);
    }
  }
  if (!quorum) throw malformed('it has no quorum line');
  const { words, isMet } = quorum;
  return {
    logs,
    witnesses,
    quorum: words,
    isMetBy: (verifiedBy) => isMet(new Set(witnesses.filter((witness) => verifiedBy.includes(witness)))),
  };
}

/** One key under two names would count twice in a quorum. */
function requireKey(vkey: string | undefined, kind: VerifierKey['kind'], known: readonly VerifierKey[]): VerifierKey {
  const key = parseVkey(vkey ?? '');
  if (key.kind !== kind) throw malformed(`the key of "${key.name}" is a ${key.kind}'s, on a line for a ${kind}`);
  if (known.some((other) => Buffer.compare(other.publicKey, key.publicKey) === 0))
    throw malformed(`the key of "${key.name}" stands there twice`);
  return key;
}

function malformed(reason: string): LedgerError {
  return new LedgerError('malformed-policy', `this is not a log policy: ${reason}`);
}
