import { Injectable } from '@nestjs/common';
import { Database } from '../persistence/database.js';
import type { ObjectRow } from './object.entity.js';
import { ObjectRepository } from './object.repository.js';
import { ObjectStore } from './object.store.js';

/** So that a call is answered long before whoever asks gives up. */
const PART_MS = 5000;
const AT_ONCE = 200;
/** Of how many objects one is read where not all are. */
const SAMPLE = 32;

export interface CheckedPart {
  objects: number;
  bytes: number;
  /** How many of them were read. */
  read: number;
  damaged: { row: ObjectRow; reason: string }[];
  /** Digest to go on after; undefined when all were looked at. */
  next: string | undefined;
}

/** Compares rows with what the store has. */
@Injectable()
export class ObjectCheck {
  constructor(
    private readonly store: ObjectStore,
    private readonly repository: ObjectRepository,
    private readonly database: Database,
  ) {}

  /** @param after digest to go on after; empty for the beginning */
  async check(after: string, full: boolean): Promise<CheckedPart> {
    const part: CheckedPart = { objects: 0, bytes: 0, read: 0, damaged: [], next: after };
    for (const endMs = performance.now() + PART_MS; part.next !== undefined && performance.now() < endMs;) {
      const from: string = part.next;
      const rows = await this.database.transaction((manager) => this.repository.kept(manager, from, AT_ONCE));
      if (rows.length === 0) part.next = undefined;
      for (const row of rows) {
        await this.#look(row, part, full || Math.random() * SAMPLE < 1);
        part.next = row.digest;
        if (performance.now() > endMs) break;
      }
    }
    return part;
  }

  async #look(row: ObjectRow, part: CheckedPart, deep: boolean): Promise<void> {
    const reason = await this.store.inspect(row.digest, row.size, deep);
    part.objects += 1;
    part.bytes += row.size;
    part.read += deep ? 1 : 0;
    if (reason !== undefined) part.damaged.push({ row, reason });
  }
}
