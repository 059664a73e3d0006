import { Global, Module } from '@nestjs/common';
import { PollService } from './poll.service.js';
import { PollingController } from './polling.controller.js';
import { Presence } from './presence.js';
import { RoundService } from './round.service.js';

@Global()
@Module({ providers: [PollService, PollingController, Presence, RoundService], exports: [PollingController, Presence, RoundService] })
export class RoundsModule {}
