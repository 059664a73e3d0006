import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadFile } from '../tiles/index.js';
import { readOffer } from './log.follower.js';
import type { DeskAnswer, WitnessDesk } from './witness.desk.js';
import type { WitnessStore } from './witness.store.js';

/** What came of one look at a log. */
export type FollowResult =
  | { readonly kind: 'cosigned'; readonly origin: string; readonly size: bigint; readonly file: string }
  | { readonly kind: 'behind'; readonly origin: string; readonly size: bigint; readonly lastSize: bigint }
  | { readonly kind: 'split-view'; readonly origin: string }
  | { readonly kind: 'refused'; readonly origin: string; readonly answer: Exclude<DeskAnswer, { kind: 'cosigned' }> };

/**
 * Looks at a log once, for a witness that cannot be dialled: the cosigned checkpoint is left in the folder, from where it is handed on.
 * @param folder the witness's own
 * @throws LedgerError as readOffer; whatever reading throws
 */
export async function followOnce(read: ReadFile, store: WitnessStore, desk: WitnessDesk, folder: string): Promise<FollowResult> {
  const offer = await readOffer(read, store.logKeys(), (origin) => store.seen(origin));
  const { origin } = offer;
  switch (offer.kind) {
    case 'behind':
      return { kind: 'behind', origin, size: offer.size, lastSize: store.seen(origin)!.size };
    case 'split-view':
      store.keep(offer.evidence, 'proved');
      return { kind: 'split-view', origin };
    case 'offer': {
      const answer = desk.add(offer);
      if (answer.kind === 'conflict' && answer.isSplit) return { kind: 'split-view', origin };
      if (answer.kind !== 'cosigned') return { kind: 'refused', origin, answer };
      return { kind: 'cosigned', origin, size: answer.size, file: writeCosigned(folder, origin, offer.note + answer.lines) };
    }
  }
}

function writeCosigned(folder: string, origin: string, note: string): string {
  const cosigned = join(folder, 'cosigned');
  mkdirSync(cosigned, { recursive: true });
  // An origin is a path; as a name of one file it has no slashes.
  const file = join(cosigned, encodeURIComponent(origin));
  writeFileSync(`${file}.new`, note, { flush: true });
  renameSync(`${file}.new`, file);
  return file;
}
