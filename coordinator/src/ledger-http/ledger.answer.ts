import { sha256Hex } from '@coferment/crypto';
import { Inject, Injectable } from '@nestjs/common';
import { LedgerContent } from '../publication/ledger.content.js';
import { WitnessingService } from '../witnessing/witnessing.service.js';
import { type LedgerResource, isWithin } from './ledger.resource.js';
import { READABLE_OBJECTS, type ReadableObjects } from './readable.objects.js';

/** What is sent for a resource. */
export interface LedgerAnswer {
  type: 'text/plain; charset=utf-8' | 'application/json' | 'application/octet-stream';
  cache: 'public, max-age=31536000, immutable' | 'no-cache' | 'public, max-age=5';
  /** Strong, without its quotation marks. */
  etag: string;
  size: number;
  body: Uint8Array | AsyncIterable<Buffer>;
}

const FOR_GOOD = 'public, max-age=31536000, immutable';

/** The public ledger: what lies under the published checkpoint and nothing that lies beyond. */
@Injectable()
export class LedgerAnswers {
  constructor(
    private readonly content: LedgerContent,
    private readonly witnessing: WitnessingService,
    @Inject(READABLE_OBJECTS) private readonly objects: ReadableObjects,
  ) {}

  /** Undefined where there is nothing. */
  async of(resource: LedgerResource): Promise<LedgerAnswer | undefined> {
    const { published } = this.witnessing;
    if (published === undefined) return undefined;
    switch (resource.kind) {
      case 'checkpoint':
        return { ...whole(Buffer.from(published.note)), type: 'text/plain; charset=utf-8', cache: 'no-cache' };
      case 'policy':
        return { ...whole(Buffer.from(published.electorate.policy)), type: 'text/plain; charset=utf-8', cache: 'public, max-age=5' };
      case 'tile': {
        const { level, index, width } = resource;
        if (!isWithin(resource, published.size)) return undefined;
        return { ...whole(await this.content.tile(level, index, width)), type: 'application/octet-stream', cache: FOR_GOOD };
      }
      case 'entries': {
        const { index, width } = resource;
        if (!isWithin({ ...resource, level: 0 }, published.size)) return undefined;
        return { ...whole(await this.content.entryBundle(index, width)), type: 'application/octet-stream', cache: FOR_GOOD };
      }
      case 'payload': {
        const index = await this.content.find(resource.digest);
        const payload = index === undefined || index >= published.size ? undefined : await this.content.payload(resource.digest);
        return payload === undefined ? undefined : { ...whole(payload), type: 'application/json', cache: FOR_GOOD };
      }
      case 'object': {
        const object = await this.objects.openForReaders(resource.digest);
        if (object === undefined) return undefined;
        const { size, chunks: body } = object;
        return { type: 'application/octet-stream', cache: FOR_GOOD, etag: resource.digest, size, body };
      }
    }
  }
}

function whole(body: Uint8Array): Pick<LedgerAnswer, 'body' | 'size' | 'etag'> {
  return { body, size: body.length, etag: sha256Hex(body) };
}
