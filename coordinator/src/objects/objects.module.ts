import { Global, Module } from '@nestjs/common';
import { DownloadController } from './download.controller.js';
import { ObjectRepository } from './object.repository.js';
import { ObjectService } from './object.service.js';
import { ObjectStore } from './object.store.js';
import { UploadController } from './upload.controller.js';
import { UploadQuota } from './upload.quota.js';

@Global()
@Module({
  providers: [DownloadController, ObjectRepository, ObjectService, ObjectStore, UploadController, UploadQuota],
  exports: [DownloadController, ObjectRepository, ObjectService, ObjectStore, UploadController],
})
export class ObjectsModule {}
