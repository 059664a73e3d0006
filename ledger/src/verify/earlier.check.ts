import { type OpenedCheckpoint, type VerifierKey, openCheckpoint } from '../note/index.js';
import { type ReadFile, TILE_WIDTH, firstDifference, leavesOf, readBundle, readTile, tilesOfLevel } from '../tiles/index.js';
import { HASH_BYTES, emptyRoot } from '../tree/index.js';
import { differenceText, entryDifferences } from './entry.difference.js';
import { ProblemList } from './problem.list.js';
import type { Finding } from './verification.report.js';

/** A checkpoint seen before; with the copy of the log that it came with, the first entry that is not the same can be named. */
export type EarlierCheckpoint = string | Uint8Array | { readonly checkpoint: string | Uint8Array; readonly read: ReadFile };

interface Copy {
  readonly read: ReadFile;
  readonly size: bigint;
}

interface Earlier {
  readonly where: string;
  readonly checkpoint: OpenedCheckpoint;
  readonly read: ReadFile | undefined;
  extends?: boolean;
}

/** With earlier checkpoints from other sources: the log has neither dropped nor rewritten what it had then. */
export class EarlierCheck {
  readonly #list = new ProblemList();
  readonly #earlier: Earlier[] = [];
  readonly #larger: Earlier[] = [];
  #isRefused = false;

  constructor(
    notes: readonly EarlierCheckpoint[],
    keys: readonly VerifierKey[],
    private readonly present: OpenedCheckpoint,
  ) {
    for (const [position, note] of notes.entries()) {
      const where = notes.length === 1 ? 'earlier checkpoint' : `earlier checkpoint ${position + 1}`;
      const text = typeof note === 'object' && 'checkpoint' in note ? note.checkpoint : note;
      this.#open(where, text, keys, typeof note === 'object' && 'read' in note ? note.read : undefined);
    }
  }

  /**
   * @param size entries before this bundle
   * @param leaves hashes of its entries
   * @param rootWith gives the root of the log with some of them
   */
  follow(size: number, leaves: Uint8Array, rootWith: (hashes: Uint8Array) => Uint8Array): void {
    for (const earlier of this.#earlier) {
      const within = Number(earlier.checkpoint.size) - size;
      if (earlier.extends !== undefined || within < 0 || within > leaves.length / HASH_BYTES) continue;
      const root = earlier.checkpoint.size === 0n ? emptyRoot() : rootWith(leaves.subarray(0, within * HASH_BYTES));
      earlier.extends = Buffer.compare(root, earlier.checkpoint.root) === 0;
    }
  }

  /** @param read the present export, where the first entry that is not the same is looked for */
  async finish(read: ReadFile): Promise<Finding> {
    if (this.#earlier.length + this.#larger.length === 0 && this.#list.problems.length === 0)
      return { detail: 'no earlier checkpoint was given', unchecked: true, optional: true };
    const { size } = this.present;
    for (const { where, checkpoint, read: copy, ...earlier } of this.#earlier) {
      // The empty log is the beginning of every log, also of one without a bundle.
      if (earlier.extends ?? checkpoint.size === 0n) continue;
      const first = copy && (await firstOther({ read: copy, size: checkpoint.size }, { read, size }));
      this.#list.add(
        where,
        `the first ${checkpoint.size} entries are not those that it committed to: the log was forked or rewritten${first === undefined ? '' : `; ${first}`}`,
      );
    }
    const { problems } = this.#list;
    if (this.#isRefused) return { detail: 'the earlier checkpoint is refused', problems };
    const sizes = this.#earlier.map(({ checkpoint }) => checkpoint.size).join(', ');
    const later = this.#larger.map(
      ({ where, checkpoint }) =>
        `${where} had ${checkpoint.size} entries, this export has ${size}: it is older, so export the ledger again or compare the other way round`,
    );
    const compared = this.#earlier.length > 0 ? [`from ${sizes} to ${size} entries`] : [];
    return { detail: [...compared, ...later].join('; ') || 'of another log', problems, unchecked: this.#larger.length > 0 };
  }

  #open(where: string, note: string | Uint8Array, keys: readonly VerifierKey[], read: ReadFile | undefined): void {
    let checkpoint: OpenedCheckpoint;
    try {
      checkpoint = openCheckpoint(note, keys);
    } catch (error) {
      this.#isRefused = true;
      this.#list.add(where, (error as Error).message);
      return;
    }
    if (checkpoint.origin !== this.present.origin) this.#list.add(where, `it is of another log, "${checkpoint.origin}"`);
    else (checkpoint.size > this.present.size ? this.#larger : this.#earlier).push({ where, checkpoint, read });
  }
}

/** Says which entry of the present export is the first that is not the one of the earlier copy, going by the hash tiles of that. */
async function firstOther(earlier: Copy, present: Copy): Promise<string | undefined> {
  const bundles = tilesOfLevel('entries', present.size);
  for (const tile of tilesOfLevel('entries', earlier.size)) {
    const logged = await readTile(earlier.read, { ...tile, level: 0 });
    const bundle = bundles.next();
    if (!logged || bundle.done === true) return undefined;
    const leaves = leavesOf(await readBundle(present.read, bundle.value));
    const stored = logged.bytes.subarray(0, tile.width * HASH_BYTES);
    if (firstDifference(leaves.subarray(0, stored.length), stored) === undefined) continue;
    // With the entries after those of the copy, which tell whether one was put in.
    const [difference] = entryDifferences(leaves, stored, Number(tile.index) * TILE_WIDTH, 1);
    return difference && `entry ${difference.index} is the first: by that copy, ${differenceText(difference)}`;
  }
  return undefined;
}
