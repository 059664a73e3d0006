import { CoordinatorError } from '../../../../coordinator/dist/errors/index.js';
import type { ObjectService } from '../../../../coordinator/dist/objects/object.service.js';
import type { ObjectStore } from '../../../../coordinator/dist/objects/object.store.js';

type Part = Parameters<ObjectService['upload']>[1];

/**
 * What the coordinator's object service does with an upload, without its questions to the database: bytes are appended as they come, then
 * hashed, flushed and renamed by the object store. A plaintext round could not pass the questions (no plaintext is ever due), and both rounds must
 * take the same way. It forgets what it has, so that one object can be sent as often as a figure needs runs.
 */
export class UploadIntake implements Pick<ObjectService, 'uploadState' | 'upload'> {
  constructor(private readonly store: ObjectStore) {}

  async uploadState(site: string, digest: string): Promise<{ received: number; complete: boolean }> {
    return { received: await this.store.received(site, digest), complete: false };
  }

  async upload(site: string, part: Part, chunks: AsyncIterable<Uint8Array>): Promise<{ received: number; complete: boolean }> {
    const start = await this.store.received(site, part.digest);
    if (part.offset !== start) throw new CoordinatorError('wrong-offset', `The upload goes on at byte ${start}, not ${part.offset}.`);
    const file = await this.store.append(site, part.digest);
    let received = start;
    try {
      for await (const chunk of chunks) {
        if (received + chunk.length > part.size) throw new CoordinatorError('wrong-size', `More than ${part.size} bytes came.`);
        await file.write(chunk);
        received += chunk.length;
      }
    } finally {
      await file.close();
    }
    if (received < part.size) return { received, complete: false };
    await this.store.finish(site, part.digest);
    return { received, complete: true };
  }
}
