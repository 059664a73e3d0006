import { type OperatorServiceServer, RetireAuthorityResponse, RollAuthorityResponse } from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { unary } from '../agent-port/call.handler.js';
import { AuthorityRollover } from '../certificates/authority.rollover.js';

/** Whose certificates the consortium believes. */
@Injectable()
export class AuthorityHandlers {
  readonly handlers: Pick<OperatorServiceServer, 'rollAuthority' | 'retireAuthority'>;

  constructor(rollover: AuthorityRollover) {
    this.handlers = {
      rollAuthority: unary(async () => RollAuthorityResponse.fromPartial(await rollover.roll())),
      retireAuthority: unary(async ({ force }) => RetireAuthorityResponse.fromPartial(await rollover.retire(force))),
    };
  }
}
