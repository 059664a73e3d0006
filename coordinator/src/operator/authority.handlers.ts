import type { OperatorServiceServer } from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { unary } from '../agent-port/call.handler.js';
import { CoordinatorError } from '../errors/index.js';

/** Whose certificates the consortium believes. */
@Injectable()
export class AuthorityHandlers {
  readonly handlers: Pick<OperatorServiceServer, 'rollAuthority' | 'retireAuthority'> = {
    rollAuthority: unary(() => Promise.reject(new CoordinatorError('internal', 'rollAuthority is not built yet'))),
    retireAuthority: unary(() => Promise.reject(new CoordinatorError('internal', 'retireAuthority is not built yet'))),
  };
}
