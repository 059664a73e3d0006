import { Module } from '@nestjs/common';
import { AgentAddress } from '../agent-port/agent.address.js';
import { OperatorController } from './operator.controller.js';
import { RunWatch } from './run.watch.js';
import { StatusService } from './status.service.js';

@Module({ providers: [AgentAddress, OperatorController, RunWatch, StatusService], exports: [AgentAddress, OperatorController] })
export class OperatorModule {}
