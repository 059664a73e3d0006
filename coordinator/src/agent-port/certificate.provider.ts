import { experimental } from '@grpc/grpc-js';
import type { ConsortiumIdentity } from '../identity/consortium.identity.js';

/** The coordinator's certificate and the authority for clients', both fixed while the process runs. */
export function certificatesOf({ server, facts }: ConsortiumIdentity): experimental.CertificateProvider {
  const ca = { caCertificate: Buffer.from(facts.authority) };
  const own = { certificate: Buffer.from(server.certificate), privateKey: Buffer.from(server.privateKey) };
  return {
    addCaCertificateListener: (listener) => process.nextTick(listener, ca),
    removeCaCertificateListener: () => {},
    addIdentityCertificateListener: (listener) => process.nextTick(listener, own),
    removeIdentityCertificateListener: () => {},
  };
}
