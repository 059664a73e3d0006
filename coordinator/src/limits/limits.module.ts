import { Module } from '@nestjs/common';
import { CallAllowance } from './call.allowance.js';

@Module({ providers: [CallAllowance], exports: [CallAllowance] })
export class LimitsModule {}
