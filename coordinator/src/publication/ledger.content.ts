import { sha256Hex } from '@coferment/crypto';
import { MerkleTree, encodeBundle, leafHash, tileBytes } from '@coferment/ledger';
import { Injectable } from '@nestjs/common';
import { LedgerLog } from './ledger.log.js';

const TILE_WIDTH = 256;

/** The ledger in the pieces in which it is read over HTTP. */
@Injectable()
export class LedgerContent {
  readonly #tree = new MerkleTree();
  readonly #indexes = new Map<string, number>();
  #following: Promise<void> = Promise.resolve();

  constructor(private readonly log: LedgerLog) {}

  /** Hashes of a tile, one behind the other. The ledger must reach to its end. */
  async tile(level: number, index: number, width: number): Promise<Uint8Array> {
    await this.#follow();
    return tileBytes(this.#tree, { level, index: BigInt(index), width });
  }

  /** Entries of a bundle (C2SP tlog-tiles). The ledger must reach to its end. */
  async entryBundle(index: number, width: number): Promise<Uint8Array> {
    return encodeBundle((await this.log.entries(index * TILE_WIDTH, width)).map(({ entry }) => entry));
  }

  /** The signed statement with this SHA-256. */
  async payload(digest: string): Promise<Uint8Array | undefined> {
    const index = await this.find(digest);
    return index === undefined ? undefined : (await this.log.entries(index, 1))[0]?.payload;
  }

  /** The first entry of the statement with this SHA-256. */
  async find(digest: string): Promise<number | undefined> {
    await this.#follow();
    return this.#indexes.get(digest);
  }

  #follow(): Promise<void> {
    this.#following = this.#following.then(async () => {
      while (Number(this.#tree.size) < this.log.size) {
        for (const { index, entry, payload } of await this.log.entries(Number(this.#tree.size), TILE_WIDTH)) {
          this.#tree.append(leafHash(entry));
          const digest = sha256Hex(payload);
          if (!this.#indexes.has(digest)) this.#indexes.set(digest, index);
        }
      }
    });
    return this.#following;
  }
}
