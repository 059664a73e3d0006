import { Global, Module } from '@nestjs/common';
import { DownloadController } from './download.controller.js';
import { ObjectCheck } from './object.check.js';
import { ObjectRepository } from './object.repository.js';
import { ObjectService } from './object.service.js';
import { ObjectStore } from './object.store.js';
import { ObjectSweep } from './object.sweep.js';
import { storeOf } from './store.choice.js';
import { Settings } from '../settings.js';
import { UploadController } from './upload.controller.js';
import { UploadQuota } from './upload.quota.js';

@Global()
@Module({
  providers: [
    DownloadController,
    ObjectCheck,
    ObjectRepository,
    ObjectService,
    ObjectSweep,
    UploadController,
    UploadQuota,
    { provide: ObjectStore, useFactory: storeOf, inject: [Settings] },
  ],
  exports: [DownloadController, ObjectCheck, ObjectRepository, ObjectService, ObjectSweep, ObjectStore, UploadController],
})
export class ObjectsModule {}
