import { CheckObjectsResponse, type OperatorServiceServer, SweepObjectsResponse } from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { unary } from '../agent-port/call.handler.js';
import { requireDigest } from '../agent-port/field.limits.js';
import { ObjectCheck } from '../objects/object.check.js';
import { ObjectStore } from '../objects/object.store.js';
import { ObjectSweep } from '../objects/object.sweep.js';

const MOST_NAMES = 1000;

/** Whether the object store has what the database speaks of, and nothing else. */
@Injectable()
export class ObjectHandlers {
  readonly handlers: Pick<OperatorServiceServer, 'checkObjects' | 'sweepObjects'>;

  constructor(
    private readonly store: ObjectStore,
    private readonly objects: ObjectCheck,
    private readonly sweeping: ObjectSweep,
  ) {
    this.handlers = {
      checkObjects: unary(async ({ after, full }) => {
        const { damaged, next = '', ...counts } = await this.objects.check(after === '' ? '' : requireDigest('after', after), full);
        return CheckObjectsResponse.fromPartial({
          ...counts,
          next,
          place: this.store.place,
          damaged: damaged.map(({ row: { digest, purpose, run, site }, reason }) => ({
            digest,
            purpose,
            run: run ?? '',
            site: site ?? '',
            reason,
          })),
        });
      }),
      sweepObjects: unary(async ({ dryRun }) => {
        const names: string[] = [];
        let files = 0;
        let bytes = 0;
        for await (const { name, size } of dryRun ? this.sweeping.orphans() : this.sweeping.swept()) {
          files += 1;
          bytes += size;
          if (names.length < MOST_NAMES) names.push(name);
        }
        return SweepObjectsResponse.fromPartial({ files, bytes, names });
      }),
    };
  }
}
