import { X509Certificate } from 'node:crypto';
import { type CertificateLife, renewalCheckMs, renewalIsDue, renewalRetryMs } from '@coferment/consortium';
import type { Logger } from 'pino';
import { describeFailure } from '../agent.error.js';
import type { WireClient } from '../connection/wire.client.js';
import type { KeyStore } from '../keys/key.store.js';
import { readTlsCredential } from '../keys/site.identity.js';
import type { Membership } from './membership.file.js';
import { endpointOf, renewCertificate } from './renewal.flow.js';

/** Calls that began before a renewal may be refused after it; the next ones will not be. */
const SETTLING_MS = 5000;

/** What the keeper sees to: the folder's membership and keys, and the connection that uses them. */
export interface KeptCertificate {
  folder: string;
  member: Membership;
  store: KeyStore;
  client: Pick<WireClient, 'useCertificate'>;
  log: Pick<Logger, 'info' | 'warn'>;
  /** Told of every change, for the site's record. */
  changed: (member: Membership) => void;
}

/** Keeps the client certificate valid while the agent serves, whatever life the consortium gives it. */
export class CertificateKeeper {
  #member: Membership;
  #life: CertificateLife;
  #renewing: Promise<void> | undefined;
  /** By the steady clock: when one is set back, a refused certificate is still renewed. */
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #renewedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #signal: AbortSignal | undefined;

  constructor(private readonly kept: KeptCertificate) {
    this.#member = kept.member;
    this.#life = lifeOf(kept.store);
  }

  /** Sequence number of the newest authorities act that this site has taken in. */
  get authorities(): number {
    return this.#member.authorities ?? 0;
  }

  get expiresMs(): number {
    return this.#life.notAfterMs;
  }

  watch(signal: AbortSignal): void {
    this.#signal = signal;
    signal.addEventListener('abort', () => clearTimeout(this.#timer), { once: true });
    this.#schedule(0);
  }

  /** The coordinator has other authorities than this site knows: they come with a renewal. */
  newAuthorities(): void {
    if (performance.now() >= this.#retryAtMs) void this.#tryRenew();
  }

  /** The coordinator has refused the certificate. Just after a renewal it meant the one before: another renewal would only displace the new one. */
  async refused(): Promise<void> {
    if (performance.now() - this.#renewedMs >= SETTLING_MS) await this.renew();
  }

  /** Whoever asks while a renewal is under way gets that one: each displaces the certificate of the one before. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    const { folder, store, client, log, changed } = this.kept;
    this.#member = await renewCertificate(folder, this.#member, store);
    this.#life = lifeOf(store);
    this.#renewedMs = performance.now();
    changed(this.#member);
    client.useCertificate(endpointOf(this.#member), readTlsCredential(store));
    log.info({ until: this.#member.certificateExpiresAt, authorities: this.authorities }, 'certificate renewed');
  }

  async #tryRenew(): Promise<void> {
    try {
      await this.renew();
      this.#schedule(0);
    } catch (error) {
      this.kept.log.warn(describeFailure(error), 'renewal failed');
      const retryMs = renewalRetryMs(this.#life);
      this.#retryAtMs = performance.now() + retryMs;
      this.#schedule(retryMs);
    }
  }

  #schedule(leastMs: number): void {
    clearTimeout(this.#timer);
    if (this.#signal?.aborted !== false) return;
    const check = () => {
      if (renewalIsDue(this.#life, Date.now())) void this.#tryRenew();
      else this.#schedule(0);
    };
    this.#timer = setTimeout(check, Math.max(leastMs, renewalCheckMs(this.#life, Date.now())));
  }
}

/** From the pair that is in use, not from member.json: the process may have been killed between writing the two. */
function lifeOf(store: KeyStore): CertificateLife {
  const { validFrom, validTo } = new X509Certificate(readTlsCredential(store).certificate);
  return { notBeforeMs: Date.parse(validFrom), notAfterMs: Date.parse(validTo) };
}
