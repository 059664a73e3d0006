import { sha256Hex } from '@coferment/crypto';
import {
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  type ServerMethodDefinition,
} from '@grpc/grpc-js';
import { Injectable } from '@nestjs/common';
import { CertificateHolders } from '../certificates/certificate.holders.js';
import { requireEnrolled } from '../enrolment/membership.rule.js';
import { CoordinatorError, stoppingRefusal } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Health } from '../telemetry/health.js';
import { CallAllowance } from '../limits/call.allowance.js';
import { networkOfPeer } from '../limits/peer.address.js';
import { allows, rolesOf } from './access.roles.js';
import { failed } from './call.handler.js';
import { CallPermit } from './call.permit.js';
import { CallRecords, codeOf } from './call.records.js';
import { type Caller, writeCaller } from './caller.js';
import { UnreadMessage } from './message.reading.js';
import { type OpenCall, OpenCalls } from './open.calls.js';
import { validCertificate } from './peer.certificate.js';

const POLL = '/coferment.v1.PollingService/Poll';
const UPLOAD = '/coferment.v1.UploadService/Upload';
/** Where a stranger says who it is: what can be guessed at. */
const JOINING: ReadonlySet<string> = new Set(['/coferment.v1.EnrolmentService/Join', '/coferment.v1.EnrolmentService/Renew']);

/**
 * The one gate of the port. TLS asks for a client certificate and does not require it, so everything depends on this: no method but Hello, Join and Renew
 * is reached without a valid one, and its SHA-256 is compared with enrolment on EVERY call. That comparison is the revocation check. Before it asks anybody, it counts: too many calls are refused
 * at the cost of one look into a table in memory.
 */
@Injectable()
export class AccessInterceptor {
  constructor(
    private readonly identity: ConsortiumIdentity,
    private readonly holders: CertificateHolders,
    private readonly openCalls: OpenCalls,
    private readonly records: CallRecords,
    private readonly health: Health,
    private readonly allowance: CallAllowance,
  ) {}

  readonly intercept: ServerInterceptor = (method, call) => {
    const record = this.records.begin(method.path);
    const permit = new CallPermit();
    const network = networkOfPeer(call.getPeer());
    const ended = (code: string) => {
      permit.end();
      record.ended(code);
    };
    // Refusals of the gate go straight to the call; what handlers answer passes the responder below.
    const refuse = (error: unknown) => {
      const refusal = failed(method.path, error);
      ended(codeOf(refusal));
      call.sendStatus(refusal);
    };
    const open = this.openCalls.begin(method.path, refuse);
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        this.admit(method, validCertificate(call.getAuthContext(), this.identity, Date.now()), { network, permit, open, refuse }).then(
          (caller) => {
            record.madeBy(caller);
            writeCaller(metadata, caller);
            next(metadata);
          },
          refuse,
        );
      })
      .withOnReceiveMessage((message, next) => {
        if (message instanceof UnreadMessage) refuse(message.refusal);
        else next(message);
      })
      .withOnCancel(() => {
        open.ended();
        ended('cancelled');
      })
      .build();
    const responder = new ResponderBuilder()
      .withStart((next) => next(listener))
      .withSendStatus((answered, next) => {
        const code = codeOf(answered);
        ended(code);
        if (!JOINING.has(method.path)) return next(answered);
        void this.allowance.joinEnded(network, code).then(() => next(answered));
      })
      .build();
    return new ServerInterceptingCall(call, responder);
  };

  /** Counts first, then looks who it is. */
  private async admit(
    method: ServerMethodDefinition<unknown, unknown>,
    certificate: Uint8Array | undefined,
    { network, permit, open, refuse }: { network: string; permit: CallPermit; open: OpenCall; refuse: (error: unknown) => void },
  ): Promise<Caller> {
    const { path } = method;
    if (certificate === undefined || allows(path, 'stranger')) permit.hold(await this.allowance.stranger(network));
    else permit.hold(await this.allowance.caller(sha256Hex(certificate)));
    if (JOINING.has(path)) await this.allowance.requireNoGuessing(network);
    const caller = await this.callerOf(method, certificate, open);
    if (caller.kind === 'site' && path === POLL) permit.hold(this.allowance.poll(caller.site, refuse));
    if (caller.kind === 'site' && path === UPLOAD) permit.hold(this.allowance.upload(caller.site));
    return caller;
  }

  private async callerOf(
    method: ServerMethodDefinition<unknown, unknown>,
    certificate: Uint8Array | undefined,
    open: OpenCall,
  ): Promise<Caller> {
    if (this.health.isStopping) throw stoppingRefusal();
    if (allows(method.path, 'stranger')) return { kind: 'stranger' };
    if (certificate === undefined) {
      throw new CoordinatorError(
        'unauthenticated',
        'This call needs a valid client certificate. Join first, or renew the certificate if it has expired.',
      );
    }
    const digest = sha256Hex(certificate);
    if (this.identity.isOperator(digest, Date.now())) return admitted(method.path, { kind: 'operator' });
    const row = await this.holders.of(digest);
    if (row === null) {
      throw new CoordinatorError(
        'unauthenticated',
        'This client certificate is not the one that is enrolled. Renew it, or join with a new invite.',
      );
    }
    requireEnrolled(row);
    open.madeBy(row);
    const { site, role, identityKey } = row;
    if (role === 'site') return admitted(method.path, { kind: 'site', site, identityKey: identityKey ?? '' });
    if (this.identity.facts.ledgerReaders === 'members')
      throw new CoordinatorError(
        'forbidden',
        `By the charter of this consortium only members read its ledger; "${row.site}" is an auditor.`,
      );
    return admitted(method.path, { kind: 'auditor', auditor: row.site });
  }
}

/** @throws CoordinatorError 'forbidden' */
function admitted(path: string, caller: Exclude<Caller, { kind: 'stranger' }>): Caller {
  if (allows(path, caller.kind)) return caller;
  throw new CoordinatorError('forbidden', `${path} is not for ${described(caller)}; it is for: ${rolesOf(path).join(', ') || 'nobody'}.`);
}

function described(caller: Exclude<Caller, { kind: 'stranger' }>): string {
  switch (caller.kind) {
    case 'operator':
      return 'the operator';
    case 'site':
      return `the site "${caller.site}"`;
    case 'auditor':
      return `the auditor "${caller.auditor}"`;
  }
}
