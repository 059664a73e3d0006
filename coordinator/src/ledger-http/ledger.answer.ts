import { sha256Hex } from '@coferment/crypto';
import { Injectable } from '@nestjs/common';
import { LedgerLog } from '../publication/ledger.log.js';
import { ObjectService } from '../objects/object.service.js';
import { WitnessingService } from '../witnessing/witnessing.service.js';
import { type LedgerResource, isWithin } from './ledger.resource.js';

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
    private readonly log: LedgerLog,
    private readonly witnessing: WitnessingService,
    private readonly objects: ObjectService,
  ) {}

  /** Undefined where there is nothing. */
  async of(resource: LedgerResource): Promise<LedgerAnswer | undefined> {
    const published = await this.witnessing.shown();
    if (published === undefined) return undefined;
    switch (resource.kind) {
      case 'checkpoint':
        return { ...whole(Buffer.from(published.note)), type: 'text/plain; charset=utf-8', cache: 'no-cache' };
      case 'policy':
        return { ...whole(Buffer.from(published.electorate.policy)), type: 'text/plain; charset=utf-8', cache: 'public, max-age=5' };
      case 'tile': {
        const { level, index, width } = resource;
        if (!isWithin(resource, published.size)) return undefined;
        return immutable(await this.log.tile(level, index, width));
      }
      case 'entries': {
        const { index, width } = resource;
        if (!isWithin({ ...resource, level: 0 }, published.size)) return undefined;
        return immutable(await this.log.entryBundle(index, width));
      }
      case 'payload': {
        const index = await this.log.find(resource.digest);
        const payload = index === undefined || index >= published.size ? undefined : await this.log.payload(resource.digest);
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

function immutable(bytes: Uint8Array | undefined): LedgerAnswer | undefined {
  return bytes && { ...whole(bytes), type: 'application/octet-stream', cache: FOR_GOOD };
}

function whole(body: Uint8Array): Pick<LedgerAnswer, 'body' | 'size' | 'etag'> {
  return { body, size: body.length, etag: sha256Hex(body) };
}
