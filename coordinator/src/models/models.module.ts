import { Global, Module } from '@nestjs/common';
import { ModelController } from './model.controller.js';
import { ModelRepository } from './model.repository.js';
import { ModelService } from './model.service.js';

@Global()
@Module({ providers: [ModelController, ModelRepository, ModelService], exports: [ModelController, ModelService] })
export class ModelsModule {}
