import type { HttpLimits } from '@coferment/ledger/serving';
import { z } from 'zod';

/** Beyond it a limit would be none. */
const MOST = 1_000_000;
const count = (most = MOST) => z.number('must be a whole number').int('must be a whole number').min(1, 'must be at least 1').max(most);

const http = (requests: number, connections: number, perAddress: number) =>
  z
    .strictObject({
      requestsPer10s: count().default(requests),
      connections: count(65_535).default(connections),
      connectionsPerAddress: count(65_535).default(perAddress),
    })
    .prefault({});

/**
 * What one coordinator process takes from its callers before it says `too-many`. Several coordinators on one database each count for themselves.
 * Sized so that 128 sites, the most that a consortium has, stay below half of each in their busiest phase; docs/limits.md gives the reason for each.
 */
export const limitsSchema = z.strictObject({
  /** By address: who calls without a certificate that is good now. */
  stranger: z
    .strictObject({
      callsPerMinute: count().default(600),
      callsAtOnce: count().default(128),
      /** Joins and renewals that were refused. */
      refusedPer10Min: count().default(30),
    })
    .prefault({}),
  /** By certificate: sites, auditors and the operator alike. */
  caller: z.strictObject({ callsPer10s: count().default(5000), callsAtOnce: count().default(64) }).prefault({}),
  /** By site. */
  site: z
    .strictObject({
      /** One more ends the oldest: the newest is of the connection that lives. */
      pollsHeld: count().default(4),
      uploadsAtOnce: count().default(8),
      /** Of uploads that have begun and are not whole. */
      unfinishedMiB: count().default(4096),
    })
    .prefault({}),
  /** Of all callers together. */
  all: z
    .strictObject({
      strangerCallsPerMinute: count().default(6000),
      callsAtOnce: count().default(4096),
      uploadsAtOnce: count().default(300),
    })
    .prefault({}),
  /** The public ledger over HTTP; requests by address. */
  ledger: http(3000, 512, 128),
  /** The monitoring port; requests by address. */
  monitor: http(100, 64, 32),
});

export type Limits = z.output<typeof limitsSchema>;
export type WrittenLimits = z.input<typeof limitsSchema>;

export const DEFAULT_LIMITS: Limits = limitsSchema.parse({});

/** Of one of the HTTP ports. */
export function httpLimits({ requestsPer10s, ...connections }: Limits['ledger']): HttpLimits {
  return { requests: requestsPer10s, perMs: 10_000, ...connections };
}
