import { type OperatorServiceServer, OperatorServiceService } from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { unary } from '../agent-port/call.handler.js';
import type { GrpcController } from '../agent-port/grpc.controller.js';
import { AuthorityHandlers } from './authority.handlers.js';
import { ControlHandlers } from './control.handlers.js';
import { LedgerStatus } from './ledger.status.js';
import { ObjectHandlers } from './object.handlers.js';
import { RunHandlers } from './run.handlers.js';
import { SiteHandlers } from './site.handlers.js';
import { StatusService } from './status.service.js';

/** The operator's own calls, by what they are about. */
@Injectable()
export class OperatorController implements GrpcController<OperatorServiceServer> {
  readonly definition: typeof OperatorServiceService = OperatorServiceService;
  readonly handlers: OperatorServiceServer;

  constructor(
    state: StatusService,
    ledger: LedgerStatus,
    sites: SiteHandlers,
    authority: AuthorityHandlers,
    runs: RunHandlers,
    control: ControlHandlers,
    objects: ObjectHandlers,
  ) {
    this.handlers = {
      ...sites.handlers,
      ...authority.handlers,
      ...runs.handlers,
      ...control.handlers,
      ...objects.handlers,
      getStatus: unary(() => state.status()),
      getLedgerStatus: unary(() => ledger.status()),
    };
  }
}
