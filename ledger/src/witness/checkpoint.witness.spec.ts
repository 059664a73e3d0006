import { describe, expect, it } from 'vitest';
import { appendSignatures, cosign, openCheckpoint, parseNote, publicKeyFromSeed, signCheckpoint, verifierKey } from '../note/index.js';
import { type SeenCheckpoint, considerCheckpoint, cosignatureLine, seenCheckpoint } from './index.js';
import { ForkableLog, LOG_KEY, LOG_SEED, ORIGIN } from './forked-log.fixture.js';

const log = ForkableLog.counting(20);
const witness = { name: 'witness.example/w', seed: new Uint8Array(32).fill(9) };
const witnessKey = verifierKey('witness', witness.name, publicKeyFromSeed(witness.seed));
const offer = (last: SeenCheckpoint | undefined, note: string, proof: readonly Uint8Array[] = []) =>
  considerCheckpoint({ origin: ORIGIN, logKeys: [LOG_KEY], last, note, proof });
const seen = (size: number, of = log) => seenCheckpoint(of.checkpoint(size), [LOG_KEY]);

describe('what a witness does not believe', () => {
  const other = new Uint8Array(32).fill(2);
  const note = log.checkpoint();
  it.each([
    ['nothing', '', 'malformed'],
    ['a note that is no checkpoint', 'hello\n\n— a AAAAAAA=\n', 'malformed'],
    ['no signature', note.slice(0, note.indexOf('\n\n') + 2), 'malformed'],
    ['a checkpoint of another log', log.checkpoint(20, LOG_SEED, 'ledger.example/other'), 'unknown-origin'],
    ['another key', log.checkpoint(20, other), 'not-signed'],
    ['a changed size', note.replace('\n20\n', '\n19\n'), 'not-signed'],
    ['another root for no entries', signCheckpoint({ origin: ORIGIN, size: 0n, root: other }, LOG_SEED), 'impossible'],
  ])('%s', (_, text, code) => {
    for (const last of [undefined, seen(3)]) expect(offer(last, text)).toMatchObject({ kind: 'refused', code });
  });

  it('a witness key in place of a log key', () => {
    const asWitness = { ...LOG_KEY, kind: 'witness' as const };
    expect(considerCheckpoint({ origin: ORIGIN, logKeys: [asWitness], last: undefined, note, proof: [] })).toMatchObject({
      code: 'not-signed',
    });
  });

  it('a proof at the first time, or from nothing', () => {
    expect(offer(undefined, note, log.proof(3))).toMatchObject({ code: 'unproven' });
    expect(offer(seen(0), note, log.proof(3))).toMatchObject({ code: 'unproven' });
  });

  it('an older checkpoint as the newest', () => {
    expect(offer(seen(20), log.checkpoint(19))).toMatchObject({ kind: 'refused', code: 'stale' });
    expect(offer(seen(20), log.checkpoint(0))).toMatchObject({ kind: 'refused', code: 'stale' });
  });
});

describe('a witness of an honest log', () => {
  it('goes from every size to every larger one, and to the same one without storing', () => {
    expect(offer(undefined, log.checkpoint(5))).toMatchObject({ kind: 'cosign', seen: { size: 5n } });
    for (let older = 0; older <= 20; older++)
      for (let newer = older; newer <= 20; newer++) {
        const { kind } = offer(seen(older), log.checkpoint(newer), newer === older ? [] : log.proof(older, newer));
        expect(kind, `${older} to ${newer}`).toBe(newer === older ? 'known' : 'cosign');
      }
  });

  it('keeps what the log signed and drops lines that anyone can add', () => {
    const note = log.checkpoint(7);
    const noisy = appendSignatures(note, [
      cosign(parseNote(note).text, 1n, witness),
      { name: 'x.example', keyId: '00000000', bytes: new Uint8Array(64) },
    ]);
    expect(offer(undefined, noisy)).toMatchObject({ kind: 'cosign', seen: { note } });
  });

  it('signs a line that others verify on the checkpoint', () => {
    const note = log.checkpoint();
    const opened = openCheckpoint(note + cosignatureLine(note, 1_700_000_000n, witness), [LOG_KEY, witnessKey]);
    expect(opened.note.verifiedBy).toEqual([LOG_KEY, witnessKey]);
  });
});

describe('a witness of a log that forks', () => {
  it('holds two signed halves of the same size as a split view, whatever proof came', () => {
    for (let at = 0; at < 12; at++) {
      const fork = log.forked(at, 12);
      expect(offer(seen(12), fork.checkpoint(), [])).toEqual({
        kind: 'split-view',
        evidence: { origin: ORIGIN, first: log.checkpoint(12), second: fork.checkpoint() },
      });
      expect(offer(seen(12), fork.checkpoint(), fork.proof(5)).kind).toBe('split-view');
    }
  });

  it('cosigns no larger tree that lacks one of the entries seen before, and keeps both halves', () => {
    for (let at = 0; at < 12; at++) {
      const fork = log.forked(at, 17);
      for (const proof of [fork.proof(12), log.proof(12, 17), []])
        expect(offer(seen(12), fork.checkpoint(), proof)).toMatchObject({
          kind: 'refused',
          code: 'unproven',
          suspicion: { first: log.checkpoint(12), second: fork.checkpoint() },
        });
    }
    expect(offer(seen(12), log.forked(12, 17).checkpoint(), log.forked(12, 17).proof(12)).kind).toBe('cosign');
  });
});
