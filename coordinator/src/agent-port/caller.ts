import type { Metadata } from '@grpc/grpc-js';
import { CoordinatorError } from '../errors/index.js';

/** Who called, as the interceptor found by the client certificate. */
export type Caller = { kind: 'stranger' } | { kind: 'operator' } | { kind: 'site'; site: string } | { kind: 'auditor'; auditor: string };

// The interceptor overwrites this key on every call, so nothing a client sends under it is ever read.
const KEY = 'coferment-caller';

export function writeCaller(metadata: Metadata, caller: Caller): void {
  metadata.set(KEY, written(caller));
}

function written(caller: Caller): string {
  switch (caller.kind) {
    case 'site':
      return `site/${caller.site}`;
    case 'auditor':
      return `auditor/${caller.auditor}`;
    case 'operator':
    case 'stranger':
      return caller.kind;
  }
}

export function readCaller(metadata: Metadata): Caller {
  const [kind, name] = String(metadata.get(KEY)[0] ?? 'stranger').split('/');
  if (kind === 'site' && name !== undefined) return { kind, site: name };
  if (kind === 'auditor' && name !== undefined) return { kind, auditor: name };
  return { kind: kind === 'operator' ? 'operator' : 'stranger' };
}

export function requireSite(caller: Caller): string {
  if (caller.kind !== 'site') throw new CoordinatorError('forbidden', 'This call is for sites; it was made with another certificate.');
  return caller.site;
}
