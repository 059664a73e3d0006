import { bytesToHex, loadCrypto } from '@coferment/crypto';
import {
  emptyRoot,
  openCheckpoint,
  openNote,
  parseNote,
  parseSplitView,
  publicKeyFromSeed,
  signCheckpoint,
  verifierKey,
  verifyCosignature,
} from '@coferment/ledger';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { describeFailure } from '../agent.error.js';
import type { OfferedCheckpoint } from '../connection/coordinator.port.js';
import { RECORDED_EVERY_MS } from '../journal/cosigned.repository.js';
import { verifyJournal } from '../journal/journal.verification.js';
import { takeCheckpoint } from './cosigning.act.js';
import { LOG_KEY, LOG_SEED, ORIGIN, WitnessingSite, WordLog } from './forking.coordinator.fixture.js';
import { witnessSigner } from './witness.key.js';

const log = WordLog.counting(12);
let site: WitnessingSite;
const take = (offer: OfferedCheckpoint, again = false) => takeCheckpoint(site.context, offer, again, site.nowMs);
const codeOf = (work: () => unknown) => {
  try {
    return work();
  } catch (error) {
    return describeFailure(error).code;
  }
};
const witnessKey = () => {
  const { name, seed } = witnessSigner(site.identity, ORIGIN, 'a');
  return verifierKey('witness', name, publicKeyFromSeed(seed));
};
const stored = () => site.journal.cosigned.latest();
const records = () => site.journal.record.lines().length;

beforeAll(loadCrypto);
beforeEach(() => {
  site = new WitnessingSite();
  // As the agent does at its start: it signs a head.
  site.journal.record.append({ kind: 'agent-started', software: 'a test' });
});

describe('what is no checkpoint that this site may cosign', () => {
  const text = log.note();
  const cases: [string, (oldSize: number) => OfferedCheckpoint][] = [
    ['nothing', () => ({ note: '\n', proof: [] })],
    ['garbage', () => ({ note: '\u0000\ud800 not a note', proof: [] })],
    ['a note that was cut', () => ({ note: text.slice(0, -10), proof: [] })],
    ['a changed size', () => ({ note: text.replace('\n12\n', '\n13\n'), proof: [] })],
    ['the key of another log', () => ({ note: log.note(12, new Uint8Array(32).fill(2)), proof: [] })],
    ['another origin', () => ({ note: log.note(12, LOG_SEED, 'ledger.example/other'), proof: [] })],
    [
      'no entries with a root',
      () => ({ note: signCheckpoint({ origin: ORIGIN, size: 0n, root: new Uint8Array(32) }, LOG_SEED), proof: [] }),
    ],
    ['a million lines', () => ({ note: `${text}${text.split('\n\n')[1]!.repeat(20_000)}`, proof: [] })],
  ];

  it.each(cases)('%s is refused at the first time, and later', (_, offer) => {
    expect(codeOf(() => take(offer(0)))).toBe('checkpoint-refused');
    expect(stored()).toBeUndefined();
    take(log.offer(0, 5));
    const before = stored();
    expect(codeOf(() => take(offer(5), true))).toBe('checkpoint-refused');
    expect(stored()).toEqual(before);
    expect(site.journal.evidence.all()).toEqual([]);
  });

  it('a proof where none can be, and more entries than a log can have, are refused', () => {
    expect(codeOf(() => take({ note: log.note(), proof: log.proof(5) }))).not.toBe('cosigned');
    const endless = signCheckpoint({ origin: ORIGIN, size: 1n << 60n, root: new Uint8Array(32) }, LOG_SEED);
    expect(codeOf(() => take({ note: endless, proof: [] }))).toBe('checkpoint-refused');
    expect(stored()).toBeUndefined();
  });
});

describe('a checkpoint that extends the last', () => {
  it('is cosigned with a key of its own, over the whole body, and stored before anything leaves', () => {
    expect([take(log.offer(0, 5)), take(log.offer(5, 12))]).toEqual(['cosigned', 'cosigned']);
    const { note, size, isSent, cosignatures, signedS } = stored()!;
    expect({ size, isSent, cosignatures }).toEqual({ size: 12n, isSent: false, cosignatures: 2 });
    expect(openCheckpoint(note, [LOG_KEY, witnessKey()]).note.verifiedBy).toEqual([LOG_KEY, witnessKey()]);
    expect(signedS).toBe(site.nowMs / 1000);
    expect(bytesToHex(witnessKey().publicKey)).not.toBe(bytesToHex(site.identity.publicKey));
    expect(site.sent).toEqual([]);
  });

  it('never gets an earlier time than the one before, whatever the clock says', () => {
    take(log.offer(0, 5));
    site.nowMs -= 86_400_000;
    take(log.offer(5, 6));
    const { text, signatures } = parseNote(stored()!.note);
    expect(verifyCosignature(text, signatures[1]!.bytes, witnessKey().publicKey)).toBe(1_800_000_000n);
  });

  it('drops lines that strangers have added', () => {
    const added = log.note().concat(log.note(12, new Uint8Array(32).fill(2)).split('\n\n')[1]!);
    take({ note: added, proof: [] });
    expect(parseNote(stored()!.note).signatures).toHaveLength(2);
  });

  it('may be the empty log', () => {
    const empty = signCheckpoint({ origin: ORIGIN, size: 0n, root: emptyRoot() }, LOG_SEED);
    expect([take({ note: empty, proof: [] }), take(log.offer(0, 5))]).toEqual(['cosigned', 'cosigned']);
  });
});

describe('a log that is not one', () => {
  beforeEach(() => take(log.offer(0, 8)));

  it('is found at the same size at once, with both signed halves', () => {
    expect(take({ note: log.forked(3, 8).note(), proof: [] })).toBe('stopped');
    const [kept] = site.journal.evidence.undecided();
    const { first, second } = parseSplitView(kept!.evidence);
    expect([first, second].map((note) => openCheckpoint(note, [LOG_KEY]).size)).toEqual([8n, 8n]);
    expect(site.events.at(-1)).toMatchObject({ event: 'split-view', id: 1, message: expect.stringContaining('signs nothing') });
    expect(stored()!.size).toBe(8n);
    // From here on it cosigns nothing, be it as honest as it likes.
    expect(take(log.offer(8))).toBe('stopped');
  });

  it.each([
    ['a fork with a proof of its own', () => log.forked(3, 12).offer(8)],
    ['a fork without proof', () => ({ note: log.forked(3, 12).note(), proof: [] })],
    ['a huge proof', () => ({ note: log.note(), proof: Array.from({ length: 50_000 }, () => new Uint8Array(32)) })],
    ['hashes of no bytes', () => ({ note: log.note(), proof: [new Uint8Array(0)] })],
    ['an older state', () => ({ note: log.note(5), proof: [] })],
    ['an older fork', () => log.forked(3, 6).offer(0)],
  ])('%s is doubtful first and evidence when it comes again', (_, offer) => {
    expect(take(offer())).toBe('doubtful');
    expect(site.journal.evidence.all()).toEqual([]);
    expect(take(offer(), true)).toBe('stopped');
    expect(site.journal.evidence.undecided()).toMatchObject([{ foundBy: 'checkpoint' }]);
    expect(stored()).toMatchObject({ size: 8n, cosignatures: 1 });
  });

  it('shows one half to one of two processes on one folder: only one is cosigned', () => {
    const other = site.open();
    const [one, two] = [log.offer(8), log.forked(8, 12).offer(8)];
    expect(take(one)).toBe('cosigned');
    expect(takeCheckpoint(other, two, false, site.nowMs)).toBe('stopped');
    expect(openNote(other.journal.cosigned.latest()!.note, [LOG_KEY]).text).toBe(parseNote(one.note).text);
    other.journal.close();
  });
});

describe('the journal of a witness', () => {
  it('grows by one entry an hour, not by one a checkpoint, and still holds', () => {
    const long = WordLog.counting(70);
    take(long.offer(0, 1));
    const before = records();
    for (let size = 2; size <= 60; size++) take(long.offer(size - 1, size));
    expect(records()).toBe(before);
    expect(stored()).toMatchObject({ size: 60n, cosignatures: 60 });
    site.nowMs += RECORDED_EVERY_MS;
    take(long.offer(60, 61));
    expect(records()).toBe(before + 1);
    expect(site.events.filter(({ event }) => event === 'cosigned')).toHaveLength(2);
    const own = { site: 'a', identityKey: bytesToHex(site.identity.publicKey) };
    site.journal.close();
    expect(verifyJournal(site.folder, own).report).toMatchObject({ verdict: 'holds', findings: [] });
  });
});
