import { Module } from '@nestjs/common';
import { AgentAddress } from '../agent-port/agent.address.js';
import { AuthorityHandlers } from './authority.handlers.js';
import { ControlHandlers } from './control.handlers.js';
import { LedgerStatus } from './ledger.status.js';
import { ObjectHandlers } from './object.handlers.js';
import { OperatorController } from './operator.controller.js';
import { RunHandlers } from './run.handlers.js';
import { RunWatch } from './run.watch.js';
import { SiteHandlers } from './site.handlers.js';
import { StatusService } from './status.service.js';

@Module({
  providers: [
    AgentAddress,
    AuthorityHandlers,
    ControlHandlers,
    LedgerStatus,
    ObjectHandlers,
    OperatorController,
    RunHandlers,
    RunWatch,
    SiteHandlers,
    StatusService,
  ],
  exports: [AgentAddress, OperatorController, StatusService],
})
export class OperatorModule {}
