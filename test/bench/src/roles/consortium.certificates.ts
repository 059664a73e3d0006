import {
  CERTIFICATE_LIFE_MS,
  type KeyAndCertificate,
  createAuthority,
  issueOperator,
  issueServer,
} from '../../../../coordinator/dist/identity/certificate.authority.js';

export const SERVER_NAME = 'bench.coferment.internal';

/** In the shape in which the coordinator keeps its own. */
export interface Credentials {
  server: KeyAndCertificate;
  facts: { authority: string };
  client: KeyAndCertificate;
}

/** A consortium's certificates as the coordinator issues them. They live as long as one measurement. */
export async function issueCredentials(): Promise<Credentials> {
  const authority = { ...(await createAuthority('bench')), lifeMs: CERTIFICATE_LIFE_MS };
  const [server, client] = await Promise.all([issueServer(authority, SERVER_NAME), issueOperator(authority)]);
  return { server, client, facts: { authority: authority.certificate } };
}
