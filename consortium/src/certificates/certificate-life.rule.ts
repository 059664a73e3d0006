/** From when to when a certificate is good, in milliseconds since 1970. */
export interface CertificateLife {
  notBeforeMs: number;
  notAfterMs: number;
}

/** The clock of a machine can jump, and it can sleep: who waits for a renewal looks at the clock again at least this often. */
const LONGEST_WAIT_MS = 3_600_000;
const LONGEST_RETRY_MS = 600_000;
const SHORTEST_RETRY_MS = 500;

/** A certificate is renewed when a third of its life is left: a coordinator that is down for days, or a site over a holiday, costs nobody the connection. */
export function renewalTimeMs({ notBeforeMs, notAfterMs }: CertificateLife): number {
  return notAfterMs - Math.max(notAfterMs - notBeforeMs, 0) / 3;
}

export function renewalIsDue(life: CertificateLife, nowMs: number): boolean {
  return nowMs >= renewalTimeMs(life);
}

/** How long to wait before the certificate is looked at again. */
export function renewalCheckMs(life: CertificateLife, nowMs: number): number {
  return Math.min(Math.max(renewalTimeMs(life) - nowMs, 0), LONGEST_WAIT_MS);
}

/** How long to wait after a renewal that failed: about twenty tries fit into the last third of a short life. */
export function renewalRetryMs({ notBeforeMs, notAfterMs }: CertificateLife): number {
  return Math.min(Math.max((notAfterMs - notBeforeMs) / 60, SHORTEST_RETRY_MS), LONGEST_RETRY_MS);
}
