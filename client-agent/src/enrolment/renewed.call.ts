import { AgentError } from '../agent.error.js';
import type { KeyStore } from '../keys/key.store.js';
import { readTlsCredential, type TlsCredential } from '../keys/site.identity.js';
import type { Membership } from './membership.file.js';
import { renewCertificate } from './renewal.flow.js';

/** For commands that call the coordinator once in a while: the certificate may have expired since, and is then renewed first. */
export async function callRenewed<T>(
  folder: string,
  member: Membership,
  store: KeyStore,
  call: (member: Membership, credential: TlsCredential) => Promise<T>,
): Promise<T> {
  try {
    return await call(member, readTlsCredential(store));
  } catch (error) {
    if (!(error instanceof AgentError) || error.code !== 'certificate-refused') throw error;
    const renewed = await renewCertificate(folder, member, store);
    return call(renewed, readTlsCredential(store));
  }
}
