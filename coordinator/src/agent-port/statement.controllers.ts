import { type PredicateName, peekStatement } from '@coferment/consortium';
import {
  type Envelope,
  type NonceServiceServer,
  NonceServiceService,
  type ShareServiceServer,
  ShareServiceService,
  type StatementServiceServer,
  StatementServiceService,
  SubmitNonceResponse,
  SubmitShareResponse,
  SubmitStatementResponse,
} from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { MembershipService } from '../enrolment/membership.service.js';
import { ActService } from '../runs/act.service.js';
import { RunReconciler } from '../runs/run.reconciler.js';
import { WitnessKeyService } from '../witnessing/witness-key.service.js';
import { unary } from './call.handler.js';
import { type Caller, requireSite } from './caller.js';
import { fromWire } from './envelope.codec.js';
import type { GrpcController } from './grpc.controller.js';

const STATEMENTS: readonly PredicateName[] = [
  'plan-approved',
  'sealing-key',
  'roster-approved',
  'dealing',
  'dealing-ack',
  'dealing-refused',
  'epoch-agreed',
  'epoch-left',
  'attempt-declined',
  'contribution',
  'attestation',
  'new-set-approved',
  'instruction-refused',
];

/** Stores what a site signed; whatever follows from it is done at once, but the site does not wait for it. */
@Injectable()
export class SignedActs {
  constructor(
    private readonly acts: ActService,
    private readonly reconciler: RunReconciler,
    private readonly members: MembershipService,
    private readonly witnessKeys: WitnessKeyService,
  ) {}

  /** The key with which a site cosigns the ledger; an act of no run. */
  takeWitnessKey(caller: Caller, envelope: Envelope | undefined): Promise<string> {
    return this.witnessKeys.take(requireSite(caller), fromWire(envelope));
  }

  /** A site's end of its membership; an act of no run either. */
  leave(caller: Caller, envelope: Envelope | undefined): Promise<string> {
    return this.members.leave(requireSite(caller).site, fromWire(envelope));
  }

  async take(caller: Caller, envelope: Envelope | undefined, expected: readonly PredicateName[]): Promise<string> {
    const { run, digest } = await this.acts.submit(requireSite(caller).site, fromWire(envelope), expected);
    void this.reconciler.advance(run);
    return digest;
  }
}

@Injectable()
export class StatementController implements GrpcController<StatementServiceServer> {
  readonly definition = StatementServiceService;
  readonly handlers: StatementServiceServer = {
    submitStatement: unary(async ({ statement }, { caller }) => {
      return SubmitStatementResponse.fromPartial({ digest: await this.take(caller, statement) });
    }),
  };

  constructor(private readonly acts: SignedActs) {}

  private take(caller: Caller, statement: Envelope | undefined): Promise<string> {
    const { name } = peekStatement(fromWire(statement));
    if (name === 'site-left') return this.acts.leave(caller, statement);
    if (name === 'witness-key') return this.acts.takeWitnessKey(caller, statement);
    return this.acts.take(caller, statement, STATEMENTS);
  }
}

@Injectable()
export class NonceController implements GrpcController<NonceServiceServer> {
  readonly definition = NonceServiceService;
  readonly handlers: NonceServiceServer = {
    submitNonce: unary(async ({ nonce }, { caller }) =>
      SubmitNonceResponse.fromPartial({ digest: await this.acts.take(caller, nonce, ['nonce']) }),
    ),
  };

  constructor(private readonly acts: SignedActs) {}
}

@Injectable()
export class ShareController implements GrpcController<ShareServiceServer> {
  readonly definition = ShareServiceService;
  readonly handlers: ShareServiceServer = {
    submitShare: unary(async ({ share }, { caller }) =>
      SubmitShareResponse.fromPartial({ digest: await this.acts.take(caller, share, ['share']) }),
    ),
  };

  constructor(private readonly acts: SignedActs) {}
}
