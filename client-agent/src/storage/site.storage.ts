import { folderFault, storageFaultOf, storageText } from './storage.fault.js';

/** How often a folder that took nothing is tried again. */
const AGAIN_MS = 2000;

export type StorageEvent = { event: 'storage-failed'; code: string; message: string } | { event: 'storage-recovered' };

/** Whether this site can store what it is about to sign. A fault is told once when it begins and once when it ends, however many steps meet it. */
export class SiteStorage {
  #fault: string | undefined;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly folder: string,
    private readonly tell: (event: StorageEvent) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @returns whether the error is one of the disk, and so no refusal: the same step is tried again */
  met(error: unknown): boolean {
    const fault = storageFaultOf(error);
    if (fault === undefined) return false;
    const isNew = this.#fault === undefined;
    this.#fault = fault;
    this.#lookedMs = this.now();
    if (isNew) this.tell({ event: 'storage-failed', code: fault, message: storageText(this.folder, fault) });
    return true;
  }

  /** Called between steps; notices that there is room again. */
  look(): void {
    if (this.#fault === undefined || this.now() - this.#lookedMs < AGAIN_MS) return;
    this.#lookedMs = this.now();
    if (folderFault(this.folder) !== undefined) return;
    this.#fault = undefined;
    this.tell({ event: 'storage-recovered' });
  }
}
