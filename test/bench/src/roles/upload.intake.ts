import {
  type AggregationParameters,
  type BlockSpan,
  type VectorShape,
  blockCount,
  ciphertextAccumulator,
  ciphertextBlockSpan,
  coefficientCount,
  shareBlockSpan,
} from '@coferment/crypto';
import { CoordinatorError } from '../../../../coordinator/dist/errors/index.js';
import type { ObjectService } from '../../../../coordinator/dist/objects/object.service.js';
import type { ObjectStore } from '../../../../coordinator/dist/objects/object.store.js';
import { UploadDigest } from '../../../../coordinator/dist/objects/upload.digest.js';

type Part = Parameters<ObjectService['upload']>[1];

/** What is due: the coordinator knows it from plan and roster. */
export interface Due {
  parameters: AggregationParameters;
  shape: VectorShape;
}

/**
 * What the coordinator's object service does with an upload, without its questions to the database: chunks are digested and checked as they are
 * written, then the object store flushes and renames. A plaintext round could not pass the questions (no plaintext is ever due), and both rounds must
 * take the same way; a plaintext has no blocks, so only its digest is taken. It forgets what it has, so that one object can be sent as often as a
 * figure needs runs.
 */
export class UploadIntake implements Pick<ObjectService, 'uploadState' | 'upload'> {
  due: Due | undefined;

  constructor(private readonly store: ObjectStore) {}

  async uploadState(site: string, digest: string): Promise<{ received: number; complete: boolean }> {
    return { received: await this.store.received(site, digest), complete: false };
  }

  async upload(
    { site }: { site: string },
    part: Part,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<{ received: number; complete: boolean }> {
    const start = await this.store.received(site, part.digest);
    if (part.offset !== start || start !== 0)
      throw new CoordinatorError('wrong-offset', `The upload goes on at byte ${start}, not ${part.offset}.`);
    const digests = this.#digestsOf(part);
    const file = await this.store.append(site, part.digest);
    let received = 0;
    try {
      for await (const chunk of chunks) {
        if (received + chunk.length > part.size) throw new CoordinatorError('wrong-size', `More than ${part.size} bytes came.`);
        const written = file.appendFile(chunk);
        digests.update(chunk);
        await written;
        received += chunk.length;
      }
    } finally {
      await file.close();
    }
    if (received < part.size) return { received, complete: false };
    await this.store.finish(site, part.digest, { size: part.size, ...digests.end() });
    return { received, complete: true };
  }

  #digestsOf({ purpose }: Part): UploadDigest {
    if (this.due === undefined || purpose.startsWith('dealing')) return new UploadDigest([]);
    const { parameters, shape } = this.due;
    const spanOf = purpose === 'ciphertext' ? ciphertextBlockSpan : shareBlockSpan;
    const coefficients = coefficientCount(shape, parameters);
    const spans = Array.from({ length: blockCount(shape, parameters) }, (_, block): BlockSpan => spanOf(block, coefficients, parameters));
    const check = (block: Uint8Array, used: number): void => ciphertextAccumulator(used, parameters).check(block);
    return purpose === 'ciphertext' ? new UploadDigest(spans, check) : new UploadDigest(spans);
  }
}
