import type { ProgramEvent } from '../processes/index.js';

/** Reads from the agents' own reports what left the sites and what trained there. */
export class UploadMeter {
  private readonly seenBackends = new Set<string>();
  private largestUpdate = 0;

  take(event: ProgramEvent): void {
    if (typeof event['backend'] === 'string') this.seenBackends.add(event['backend']);
    if (event['event'] === 'sent' && event['name'] === 'ciphertext' && event['kind'] === 'update' && typeof event['bytes'] === 'number') {
      this.largestUpdate = Math.max(this.largestUpdate, event['bytes']);
    }
  }

  get backends(): string[] {
    return [...this.seenBackends].sort();
  }

  /** Ciphertext bytes of one site's update: the same for every site and round of a plan. */
  get bytesPerUpdate(): number {
    return this.largestUpdate;
  }
}
