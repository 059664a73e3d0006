import { AgentError } from '../agent.error.js';
import type { Endpoint } from '../connection/wire.channel.js';
import { readInvite } from '../enrolment/invite.source.js';
import { isMember, type Membership, readMembership } from '../enrolment/membership.file.js';
import { endpointOf } from '../enrolment/renewal.flow.js';

/** What is looked at: a membership, or an invite before anything is made of it. */
export interface DoctorSubject {
  consortium: string;
  site: string;
  endpoint: Endpoint;
  /** The data folder, where one was named. */
  folder?: string;
  /** Absent before joining. */
  member?: Membership;
}

/** @throws AgentError 'not-joined', 'missing-file', ConsortiumError 'invalid-invite' */
export function readSubject({ data, invite: file }: { data?: string; invite?: string }): DoctorSubject {
  const folder = data === undefined ? {} : { folder: data };
  // Somebody who holds a new invite wants to know about that.
  if (file !== undefined) {
    const invite = readInvite(file);
    const { consortium, site, coordinator: address, serverName, caCertificate } = invite;
    return { consortium, site, endpoint: { address, serverName, caCertificate }, ...folder };
  }
  if (data === undefined || !isMember(data)) {
    throw new AgentError(
      'not-joined',
      `${data === undefined ? 'Neither a data folder nor an invite was named' : `${data} belongs to no consortium yet`}. Before joining, look at the way with: coferment-agent doctor --invite FILE; after it, with --data DIR.`,
    );
  }
  const member = readMembership(data);
  return { consortium: member.consortium, site: member.site, endpoint: endpointOf(member), member, ...folder };
}
