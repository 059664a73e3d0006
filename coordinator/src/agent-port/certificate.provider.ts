import { experimental } from '@grpc/grpc-js';
import { Injectable } from '@nestjs/common';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';

type CaListener = Parameters<experimental.CertificateProvider['addCaCertificateListener']>[0];
type IdentityListener = Parameters<experimental.CertificateProvider['addIdentityCertificateListener']>[0];

/**
 * What the port shows and believes, now and after every change: connections that are made from then on meet the new certificates, open ones go on. grpc-js
 * builds a TLS context as soon as it has heard of both, so for one moment a change shows the new authorities beside the old certificate. That is harmless:
 * the new set holds whatever issued the certificates that are in use.
 */
@Injectable()
export class ServerCertificates implements experimental.CertificateProvider {
  readonly #caListeners = new Set<CaListener>();
  readonly #identityListeners = new Set<IdentityListener>();

  constructor(private readonly identity: ConsortiumIdentity) {
    identity.watch(() => {
      for (const listener of this.#caListeners) listener(this.#ca);
      for (const listener of this.#identityListeners) listener(this.#own);
    });
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#caListeners.add(listener);
    // Not at once: grpc-js adds its own watcher only after this call.
    process.nextTick(() => listener(this.#ca));
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#caListeners.delete(listener);
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.add(listener);
    process.nextTick(() => listener(this.#own));
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#identityListeners.delete(listener);
  }

  get #ca(): { caCertificate: Buffer } {
    return { caCertificate: Buffer.from(this.identity.authorities.certificates.join('\n')) };
  }

  get #own(): { certificate: Buffer; privateKey: Buffer } {
    const { certificate, privateKey } = this.identity.server;
    return { certificate: Buffer.from(certificate), privateKey: Buffer.from(privateKey) };
  }
}
