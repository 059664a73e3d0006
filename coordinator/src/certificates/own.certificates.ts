import { X509Certificate } from 'node:crypto';
import { type CertificateLife, renewalCheckMs, renewalIsDue, renewalRetryMs } from '@coferment/consortium';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { issueOperator, issueServer } from '../identity/certificate.authority.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { Log } from '../telemetry/log.js';

/** @param pem the first certificate in it counts */
function lifeOf(pem: string): CertificateLife {
  const { validFrom, validTo } = new X509Certificate(pem);
  return { notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) };
}

/**
 * A new client certificate for the operator's commands. It is accepted before it is handed out: a coordinator that is killed in between hands out another one
 * at its next start, before anybody can call.
 */
export async function renewOperator(identity: ConsortiumIdentity): Promise<void> {
  const client = await issueOperator(identity.authority);
  const { operatorCertificate: previousOperatorCertificate } = identity.facts;
  const authority = identity.authority.certificate;
  identity.keepFacts({ authority, operatorCertificate: client.certificate, previousOperatorCertificate });
  identity.keepOperatorClient(client);
}

/** Keeps the coordinator's certificate and the operator's valid while the process runs. Connections that are open stay open: TLS shows a certificate once. */
@Injectable()
export class OwnCertificates implements OnModuleDestroy {
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(
    private readonly identity: ConsortiumIdentity,
    private readonly log: Log,
  ) {}

  /** Before the port is opened: a coordinator that stood still for a month has only expired ones. */
  async open(): Promise<void> {
    const { certificate } = this.identity.operatorClient();
    if (certificate !== this.identity.facts.operatorCertificate) await this.identity.exclusively(() => renewOperator(this.identity));
    await this.#renewDue();
    this.#schedule(0);
  }

  onModuleDestroy(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #renewDue(): Promise<void> {
    const { identity } = this;
    return identity.exclusively(async () => {
      if (renewalIsDue(lifeOf(identity.server.certificate), Date.now())) {
        identity.keepSecrets({ server: await issueServer(identity.authority, identity.facts.serverName) });
        this.log.info("the coordinator's certificate was renewed");
      }
      if (renewalIsDue(lifeOf(identity.facts.operatorCertificate), Date.now())) {
        await renewOperator(identity);
        this.log.info("the operator's certificate was renewed");
      }
    });
  }

  #schedule(leastMs: number): void {
    if (this.#stopped) return;
    const { server, facts } = this.identity;
    const lives = [server.certificate, facts.operatorCertificate].map(lifeOf);
    const waitMs = Math.max(leastMs, Math.min(...lives.map((life) => renewalCheckMs(life, Date.now()))));
    this.#timer = setTimeout(() => {
      this.#renewDue().then(
        () => this.#schedule(0),
        (error: unknown) => {
          this.log.error('certificates could not be renewed', error);
          this.#schedule(Math.min(...lives.map(renewalRetryMs)));
        },
      );
    }, waitMs);
    this.#timer.unref();
  }
}
