import { type PollingServiceServer, PollingServiceService } from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { unary } from '../agent-port/call.handler.js';
import { requireSite } from '../agent-port/caller.js';
import { requireCount, requireText } from '../agent-port/field.limits.js';
import type { GrpcController } from '../agent-port/grpc.controller.js';
import { requireVersion } from '../enrolment/greeting.rule.js';
import { CoordinatorError } from '../errors/index.js';
import { PollService } from './poll.service.js';

const LONGEST_WAIT_MS = 20_000;
const MOST_POSITIONS = 1000;

@Injectable()
export class PollingController implements GrpcController<PollingServiceServer> {
  readonly definition = PollingServiceService;
  readonly handlers: PollingServiceServer = {
    poll: unary(async ({ wireVersion, waitMs, positions, known, authorities }, { caller, signal }) => {
      const member = requireSite(caller);
      requireVersion(wireVersion);
      if (positions.length > MOST_POSITIONS)
        throw new CoordinatorError('too-large', `A poll names ${positions.length} runs; at most ${MOST_POSITIONS} are read.`);
      if (known !== '') requireText('known', known, 64);
      const applied = positions.map(
        ({ run, appliedSum, epoch = 0 }) =>
          [
            requireText('run', run, 40),
            { appliedSum: requireCount('applied_sum', appliedSum, 2 ** 31), epoch: requireCount('epoch', epoch, 2 ** 31) },
          ] as const,
      );
      return this.polls.poll(
        member,
        {
          waitMs: Math.min(waitMs, LONGEST_WAIT_MS),
          positions: new Map(applied),
          known,
          authorities: requireCount('authorities', authorities, 2 ** 31 - 1),
        },
        signal,
      );
    }),
  };

  constructor(private readonly polls: PollService) {}
}
