import { sha256Hex } from '@coferment/crypto';
import { ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder, type ServerMethodDefinition } from '@grpc/grpc-js';
import { Injectable } from '@nestjs/common';
import { CertificateHolders } from '../certificates/certificate.holders.js';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { failed } from './call.handler.js';
import { type Caller, writeCaller } from './caller.js';
import { type OpenCall, OpenCalls } from './open.calls.js';
import { validCertificate } from './peer.certificate.js';

const PREFIX = '/coferment.v1.';
/** A joiner has no certificate yet; an agent that comes back after months has an expired one. */
const WITHOUT_CERTIFICATE = [`${PREFIX}EnrolmentService/Hello`, `${PREFIX}EnrolmentService/Join`, `${PREFIX}EnrolmentService/Renew`];
const FOR_OPERATOR = [`${PREFIX}OperatorService/`, `${PREFIX}LedgerService/`, `${PREFIX}DownloadService/`, `${PREFIX}ModelService/`];

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
  ) {}

  readonly intercept: ServerInterceptor = (method, call) => {
    const open = this.openCalls.begin((error) => call.sendStatus(failed(method.path, error)));
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata((metadata, next) => {
        this.callerOf(method, validCertificate(call.getAuthContext(), this.identity, Date.now()), open).then(
          (caller) => {
            writeCaller(metadata, caller);
            next(metadata);
          },
          (error: unknown) => call.sendStatus(failed(method.path, error)),
        );
      })
      .withOnCancel(() => open.ended());
    return new ServerInterceptingCall(call, { start: (next) => next(listener.build()) });
  };

  private async callerOf(
    method: ServerMethodDefinition<unknown, unknown>,
    certificate: Uint8Array | undefined,
    open: OpenCall,
  ): Promise<Caller> {
    if (WITHOUT_CERTIFICATE.includes(method.path)) return { kind: 'stranger' };
    if (certificate === undefined) {
      throw new CoordinatorError(
        'unauthenticated',
        'This call needs a valid client certificate. Join first, or renew the certificate if it has expired.',
      );
    }
    const digest = sha256Hex(certificate);
    if (this.identity.isOperator(digest, Date.now())) {
      if (FOR_OPERATOR.some((prefix) => method.path.startsWith(prefix))) return { kind: 'operator' };
      throw new CoordinatorError('forbidden', `${method.path} is for sites; the operator has no part in it.`);
    }
    const row = await this.holders.of(digest);
    if (row === null) {
      throw new CoordinatorError(
        'unauthenticated',
        'This client certificate is not the one that is enrolled. Renew it, or join with a new invite.',
      );
    }
    if (row.state !== 'enrolled') {
      throw new CoordinatorError(
        'site-revoked',
        `The site "${row.site}" is ${row.state} in this consortium. Ask the operator for a new invite.`,
      );
    }
    if (method.path.startsWith(`${PREFIX}OperatorService/`)) {
      throw new CoordinatorError('forbidden', `${method.path} needs the operator's certificate; the caller is the site "${row.site}".`);
    }
    open.madeBy(row);
    return { kind: 'site', site: row.site };
  }
}
