import type { Metadata } from '@grpc/grpc-js';
import type { SiteMember } from '../enrolment/site.entity.js';
import { CoordinatorError } from '../errors/index.js';

/** Who called, as the interceptor found by the client certificate. */
export type Caller = { kind: 'stranger' } | { kind: 'operator' } | ({ kind: 'site' } & SiteMember) | { kind: 'auditor'; auditor: string };

// The interceptor overwrites this key on every call, so nothing a client sends under it is ever read.
const KEY = 'coferment-caller';

export function writeCaller(metadata: Metadata, caller: Caller): void {
  metadata.set(KEY, written(caller));
}

function written(caller: Caller): string {
  switch (caller.kind) {
    case 'site':
      return `site/${caller.site}/${caller.identityKey}`;
    case 'auditor':
      return `auditor/${caller.auditor}`;
    case 'operator':
    case 'stranger':
      return caller.kind;
  }
}

export function readCaller(metadata: Metadata): Caller {
  const [kind, name, identityKey] = String(metadata.get(KEY)[0] ?? 'stranger').split('/');
  if (kind === 'site' && name !== undefined && identityKey !== undefined) return { kind, site: name, identityKey };
  if (kind === 'auditor' && name !== undefined) return { kind, auditor: name };
  return { kind: kind === 'operator' ? 'operator' : 'stranger' };
}

export function requireSite(caller: Caller): SiteMember {
  if (caller.kind !== 'site') throw new CoordinatorError('forbidden', 'This call is for sites; it was made with another certificate.');
  return { site: caller.site, identityKey: caller.identityKey };
}
