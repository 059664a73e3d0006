import { Global, Module } from '@nestjs/common';
import { PollService } from './poll.service.js';
import { PollingController } from './polling.controller.js';
import { PresenceElsewhere } from './presence.elsewhere.js';
import { Presence } from './presence.js';
import { RoundService } from './round.service.js';

@Global()
@Module({
  providers: [PollService, PollingController, Presence, PresenceElsewhere, RoundService],
  exports: [PollingController, Presence, PresenceElsewhere, RoundService],
})
export class RoundsModule {}
