import { Global, Module } from '@nestjs/common';
import { PlanRepository } from './plan.repository.js';
import { PlanService } from './plan.service.js';

@Global()
@Module({ providers: [PlanRepository, PlanService], exports: [PlanRepository, PlanService] })
export class PlansModule {}
