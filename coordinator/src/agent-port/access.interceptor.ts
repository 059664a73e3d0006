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
import { allows, rolesOf } from './access.roles.js';
import { failed } from './call.handler.js';
import { CallRecords, codeOf } from './call.records.js';
import { type Caller, writeCaller } from './caller.js';
import { type OpenCall, OpenCalls } from './open.calls.js';
import { validCertificate } from './peer.certificate.js';

/**
 * The one gate of the port. TLS asks for a client certificate and does not require it, so everything depends on this: no method but Hello, Join and Renew
 * is reached without a valid one, and its SHA-256 is compared with enrolment on EVERY call. That comparison is the revocation check.
 */
@Injectable()
export class AccessInterceptor {
  constructor(
    private readonly identity: ConsortiumIdentity,
    private readonly holders: CertificateHolders,
    private readonly openCalls: OpenCalls,
    private readonly records: CallRecords,
    private readonly health: Health,
  ) {}

  readonly intercept: ServerInterceptor = (method, call) => {
    const record = this.records.begin(method.path);
    // Refusals of the gate go straight to the call; what handlers answer passes the responder below.
    const refuse = (error: unknown) => {
      const refusal = failed(method.path, error);
      record.ended(codeOf(refusal));
      call.sendStatus(refusal);
    };
    const open = this.openCalls.begin(method.path, refuse);
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        this.callerOf(method, validCertificate(call.getAuthContext(), this.identity, Date.now()), open).then((caller) => {
          record.madeBy(caller);
          writeCaller(metadata, caller);
          next(metadata);
        }, refuse);
      })
      .withOnCancel(() => {
        open.ended();
        record.ended('cancelled');
      })
      .build();
    const responder = new ResponderBuilder()
      .withStart((next) => next(listener))
      .withSendStatus((answered, next) => {
        record.ended(codeOf(answered));
        next(answered);
      })
      .build();
    return new ServerInterceptingCall(call, responder);
  };

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
