import { describe, expect, it } from 'vitest';
import { exportTiles } from '../tiles/index.js';
import { checkSplitView, considerCheckpoint, seenCheckpoint } from './index.js';
import { ForkableLog, LOG_KEY, ORIGIN } from './forked-log.fixture.js';
import { readOffer } from './log.follower.js';

const log = ForkableLog.counting(700);
const last = seenCheckpoint(log.checkpoint(300), [LOG_KEY]);

async function served(of: ForkableLog) {
  const files = new Map<string, Uint8Array>([['checkpoint', Buffer.from(of.checkpoint())]]);
  await exportTiles(
    (path, bytes) => void files.set(path, bytes),
    of.words.map((word) => Buffer.from(word)),
  );
  return files;
}
const offerOf = async (files: Map<string, Uint8Array>, seen: typeof last | 'nothing' = last) =>
  readOffer(
    (path) => files.get(path),
    [LOG_KEY],
    () => (seen === 'nothing' ? undefined : seen),
  );

describe('a log that is followed over HTTP', () => {
  it('gives a proof that the witness accepts, and none where none is needed', async () => {
    const offer = await offerOf(await served(log));
    expect(offer).toMatchObject({ kind: 'offer', oldSize: 300n });
    if (offer.kind !== 'offer') return;
    expect(considerCheckpoint({ ...offer, logKeys: [LOG_KEY], last }).kind).toBe('cosign');
    expect(await offerOf(await served(log), 'nothing')).toMatchObject({ kind: 'offer', origin: ORIGIN, oldSize: 0n, proof: [] });
    expect(await offerOf(await served(ForkableLog.counting(300)))).toMatchObject({ kind: 'offer', oldSize: 300n, proof: [] });
  });

  it('is convicted by its own tiles when it forks, also where the old tree is one complete subtree', async () => {
    for (const [size, at] of [
      [300, 17],
      [300, 299],
      [256, 255],
    ] as const) {
      const seen = seenCheckpoint(log.checkpoint(size), [LOG_KEY]);
      const offer = await offerOf(await served(log.forked(at, 600)), seen);
      expect(offer.kind).toBe('split-view');
      if (offer.kind === 'split-view') expect(checkSplitView(offer.evidence, [LOG_KEY]).verdict).toBe('proved');
    }
  });

  it('is behind with an older checkpoint', async () => {
    expect(await offerOf(await served(ForkableLog.counting(299)))).toEqual({ kind: 'behind', origin: ORIGIN, size: 299n });
  });

  it('is refused without a checkpoint, or with tiles that are not its own', async () => {
    const files = await served(log);
    await expect(offerOf(new Map())).rejects.toThrow('is a ledger served there');
    await expect(offerOf(files.set('tile/1/000.p/2', new Uint8Array(64)))).rejects.toThrow('right edge');
  });
});
