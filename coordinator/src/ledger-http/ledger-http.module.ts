import { Global, Module } from '@nestjs/common';
import { ObjectService } from '../objects/object.service.js';
import { LedgerAnswers } from './ledger.answer.js';
import { LedgerServer } from './ledger.server.js';
import { READABLE_OBJECTS, type ReadableObjects } from './readable.objects.js';

/** Nothing, where the stored objects know of no readers: the public ledger then is without objects. */
const NO_OBJECTS: ReadableObjects = { openForReaders: async () => undefined };

@Global()
@Module({
  providers: [
    LedgerAnswers,
    LedgerServer,
    {
      provide: READABLE_OBJECTS,
      useFactory: (objects: ObjectService): ReadableObjects => (isReadable(objects) ? objects : NO_OBJECTS),
      inject: [ObjectService],
    },
  ],
  exports: [LedgerServer],
})
export class LedgerHttpModule {}

function isReadable(objects: object): objects is ReadableObjects {
  return 'openForReaders' in objects;
}
