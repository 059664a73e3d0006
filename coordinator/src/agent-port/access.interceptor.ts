import { X509Certificate } from 'node:crypto';
import { sha256Hex } from '@coferment/crypto';
import { ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder, type ServerMethodDefinition } from '@grpc/grpc-js';
import { Injectable } from '@nestjs/common';
import { EnrolmentRepository } from '../enrolment/enrolment.repository.js';
import { CoordinatorError } from '../errors/index.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Database } from '../persistence/database.js';
import { failed } from './call.handler.js';
import { type Caller, writeCaller } from './caller.js';

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
  readonly #operatorDigest: string;

  constructor(
    identity: ConsortiumIdentity,
    private readonly database: Database,
    private readonly enrolment: EnrolmentRepository,
  ) {
    this.#operatorDigest = sha256Hex(new X509Certificate(identity.facts.operatorCertificate).raw);
  }

  readonly intercept: ServerInterceptor = (method, call) => {
    const listener = new ServerListenerBuilder().withOnReceiveMetadata((metadata, next) => {
      // Empty unless the chain is valid and in date.
      const certificate = call.getAuthContext().sslPeerCertificate?.raw;
      this.callerOf(method, certificate).then(
        (caller) => {
          writeCaller(metadata, caller);
          next(metadata);
        },
        (error: unknown) => call.sendStatus(failed(method.path, error)),
      );
    });
    return new ServerInterceptingCall(call, { start: (next) => next(listener.build()) });
  };

  private async callerOf(method: ServerMethodDefinition<unknown, unknown>, certificate: Uint8Array | undefined): Promise<Caller> {
    if (WITHOUT_CERTIFICATE.includes(method.path)) return { kind: 'stranger' };
    if (certificate === undefined) {
      throw new CoordinatorError(
        'unauthenticated',
        'This call needs a valid client certificate. Join first, or renew the certificate if it has expired.',
      );
    }
    const digest = sha256Hex(certificate);
    if (digest === this.#operatorDigest) {
      if (FOR_OPERATOR.some((prefix) => method.path.startsWith(prefix))) return { kind: 'operator' };
      throw new CoordinatorError('forbidden', `${method.path} is for sites; the operator has no part in it.`);
    }
    const row = await this.database.transaction((manager) => this.enrolment.byCertificate(manager, digest));
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
    return { kind: 'site', site: row.site };
  }
}
