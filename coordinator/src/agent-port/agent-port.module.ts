import { Module } from '@nestjs/common';
import { EnrolmentController } from '../enrolment/enrolment.controller.js';
import { ModelController } from '../models/model.controller.js';
import { DownloadController } from '../objects/download.controller.js';
import { UploadController } from '../objects/upload.controller.js';
import { OperatorController } from '../operator/operator.controller.js';
import { OperatorModule } from '../operator/operator.module.js';
import { LedgerController } from '../witnessing/ledger.controller.js';
import { PollingController } from '../rounds/polling.controller.js';
import { LimitsModule } from '../limits/limits.module.js';
import { AccessInterceptor } from './access.interceptor.js';
import { AgentPort, CONTROLLERS } from './agent.port.js';
import { ServerCertificates } from './certificate.provider.js';
import { CallRecords } from './call.records.js';
import type { GrpcController } from './grpc.controller.js';
import { OpenCalls } from './open.calls.js';
import { NonceController, ShareController, SignedActs, StatementController } from './statement.controllers.js';

const SERVED = [
  EnrolmentController,
  PollingController,
  StatementController,
  NonceController,
  ShareController,
  UploadController,
  DownloadController,
  ModelController,
  LedgerController,
  OperatorController,
];

@Module({
  imports: [LimitsModule, OperatorModule],
  providers: [
    AccessInterceptor,
    AgentPort,
    CallRecords,
    NonceController,
    OpenCalls,
    ServerCertificates,
    ShareController,
    SignedActs,
    StatementController,
    { provide: CONTROLLERS, useFactory: (...controllers: GrpcController[]) => controllers, inject: SERVED },
  ],
})
export class AgentPortModule {}
