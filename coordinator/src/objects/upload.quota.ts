import { Injectable } from '@nestjs/common';
import { DEFAULT_LIMITS } from '../limits/coordinator.limits.js';
import { CoordinatorError } from '../errors/index.js';
import { Database } from '../persistence/database.js';
import { RunViews } from '../runs/run.views.js';
import { Settings } from '../settings.js';
import { requireFewObjects } from './object-count.rule.js';
import { ObjectRepository } from './object.repository.js';
import type { UploadPart } from './object.service.js';
import { ObjectStore } from './object.store.js';

const MIB = 2 ** 20;

/** How much of the disk a site can take: whole objects by their number, unfinished ones by their bytes. */
@Injectable()
export class UploadQuota {
  readonly #unfinishedBytes: number;

  constructor(
    private readonly store: ObjectStore,
    private readonly repository: ObjectRepository,
    private readonly database: Database,
    private readonly views: RunViews,
    settings: Settings,
  ) {
    this.#unfinishedBytes = (settings.limits ?? DEFAULT_LIMITS).site.unfinishedMiB * MIB;
  }

  /** Before an upload begins or goes on. @throws CoordinatorError 'too-many', 'unknown-run' */
  async require(site: string, part: Pick<UploadPart, 'digest' | 'size' | 'purpose' | 'run'>): Promise<void> {
    const { digest, purpose, run } = part;
    const view = await this.views.load(run);
    const stored = await this.database.transaction(async (manager) =>
      (await this.repository.find(manager, digest)) === null ? this.repository.countOf(manager, { site, run, purpose }) : undefined,
    );
    if (stored === undefined) return;
    requireFewObjects(view, site, purpose, stored);
    await this.#makeRoom(site, part);
  }

  /** The oldest of its own unfinished uploads go first: the site may begin them again, and no other site is touched. */
  async #makeRoom(site: string, { digest, size }: Pick<UploadPart, 'digest' | 'size'>): Promise<void> {
    if (size > this.#unfinishedBytes)
      throw new CoordinatorError(
        'too-many',
        `The object ${digest} has ${size} bytes; a site may have ${this.#unfinishedBytes} unfinished here. Nothing was stored; the operator raises site.unfinishedMiB (docs/limits.md).`,
      );
    const others = (await this.store.unfinished(site)).filter((upload) => upload.digest !== digest);
    let bytes = others.reduce((sum, upload) => sum + upload.bytes, size);
    for (const oldest of others.toSorted((a, b) => a.changedMs - b.changedMs)) {
      if (bytes <= this.#unfinishedBytes) return;
      await this.store.discard(site, oldest.digest);
      bytes -= oldest.bytes;
    }
  }
}
