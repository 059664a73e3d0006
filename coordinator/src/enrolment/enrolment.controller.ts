import { WIRE_VERSION } from '@coferment/consortium';
import {
  type EnrolmentServiceServer,
  type Envelope,
  EnrolmentServiceService,
  HelloResponse,
  JoinResponse,
  RenewResponse,
} from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { unary } from '../agent-port/call.handler.js';
import { toWire } from '../agent-port/envelope.codec.js';
import { requireBytes, requireText } from '../agent-port/field.limits.js';
import type { GrpcController } from '../agent-port/grpc.controller.js';
import { RenewalService } from '../certificates/renewal.service.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { EnrolmentService } from './enrolment.service.js';
import { requireClock, requireVersion } from './greeting.rule.js';

@Injectable()
export class EnrolmentController implements GrpcController<EnrolmentServiceServer> {
  readonly definition = EnrolmentServiceService;
  readonly handlers: EnrolmentServiceServer = {
    hello: unary(async ({ wireVersion, agentTimeMs }) => {
      greet(wireVersion, agentTimeMs);
      return HelloResponse.fromPartial({
        wireVersion: WIRE_VERSION,
        consortium: this.identity.facts.consortium,
        coordinatorTimeMs: Date.now(),
      });
    }),
    join: unary(async (call) => {
      greet(call.wireVersion, call.agentTimeMs);
      const answer = await this.enrolment.join({
        site: requireText('site', call.site, 40),
        inviteId: requireText('invite_id', call.inviteId, 16),
        inviteSecret: requireBytes('invite_secret', call.inviteSecret, 32),
        identityKey: requireBytes('identity_key', call.identityKey, 32),
        request: call.certificateRequest,
        possession: requireBytes('possession', call.possession, 64),
      });
      const { consortium } = this.identity.facts;
      if (answer.pending) return JoinResponse.fromPartial({ consortium, pending: true });
      const { certificate, enrolment } = answer;
      const issued = { certificate: Buffer.from(certificate), enrolment: toWire(enrolment) };
      return JoinResponse.fromPartial({ consortium, ...issued, ...this.#authorities });
    }),
    renew: unary(async (call) => {
      greet(call.wireVersion, call.agentTimeMs);
      const { certificate } = await this.renewal.renew({
        site: requireText('site', call.site, 40),
        agentTimeMs: call.agentTimeMs,
        request: call.certificateRequest,
        possession: requireBytes('possession', call.possession, 64),
      });
      return RenewResponse.fromPartial({ certificate: Buffer.from(certificate), ...this.#authorities });
    }),
  };

  constructor(
    private readonly enrolment: EnrolmentService,
    private readonly renewal: RenewalService,
    private readonly identity: ConsortiumIdentity,
  ) {}

  /** With every new certificate comes the signed word on whose certificates are believed now. */
  get #authorities(): { authorities?: Envelope } {
    const { act } = this.identity.authorities;
    return act === undefined ? {} : { authorities: toWire(act) };
  }
}

function greet(wireVersion: string, agentTimeMs: number): void {
  requireVersion(wireVersion);
  requireClock(agentTimeMs, Date.now());
}
