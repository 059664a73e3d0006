import { MAX_COMPANY } from '@coferment/consortium';
import {
  AdmitSiteResponse,
  CreateInviteResponse,
  type OperatorServiceServer,
  RefuseSiteResponse,
  RemoveSiteResponse,
  RevokeSiteResponse,
} from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { AgentAddress, dialledAddress } from '../agent-port/agent.address.js';
import { unary } from '../agent-port/call.handler.js';
import { requireDigest, requireText } from '../agent-port/field.limits.js';
import { InviteService } from '../enrolment/invite.service.js';
import { MembershipService } from '../enrolment/membership.service.js';
import type { MemberRole } from '../enrolment/site.entity.js';
import { CoordinatorError } from '../errors/index.js';

export const SITE_LENGTH = 40;
export const REASON_LENGTH = 400;

/** Who gets in, and who no longer. */
@Injectable()
export class SiteHandlers {
  readonly handlers: Pick<OperatorServiceServer, 'createInvite' | 'admitSite' | 'refuseSite' | 'revokeSite' | 'removeSite'>;

  constructor(
    private readonly address: AgentAddress,
    private readonly invites: InviteService,
    private readonly members: MembershipService,
  ) {
    this.handlers = {
      createInvite: unary(async ({ site, validHours, address, preAdmitted, role }) =>
        CreateInviteResponse.fromPartial(
          await this.invites.invite({
            name: requireText('site', site, MAX_COMPANY),
            role: roleOf(role),
            validHours,
            address: dialledAddress(address, this.address.value),
            preAdmitted,
          }),
        ),
      ),
      admitSite: unary(async ({ site, identityKey }) => {
        await this.members.admit(requireText('site', site, SITE_LENGTH), requireDigest('identity_key', identityKey));
        return AdmitSiteResponse.fromPartial({});
      }),
      refuseSite: unary(async ({ site }) => {
        await this.members.refuse(requireText('site', site, SITE_LENGTH));
        return RefuseSiteResponse.fromPartial({});
      }),
      removeSite: unary(async ({ site, reason }) => {
        await this.members.remove(requireText('site', site, SITE_LENGTH), reason.slice(0, REASON_LENGTH));
        return RemoveSiteResponse.fromPartial({});
      }),
      revokeSite: unary(async ({ site, reason }) => {
        await this.members.revoke(requireText('site', site, SITE_LENGTH), reason.slice(0, REASON_LENGTH));
        return RevokeSiteResponse.fromPartial({});
      }),
    };
  }
}

function roleOf(role: string): MemberRole {
  if (role === '' || role === 'site') return 'site';
  if (role === 'auditor') return role;
  throw new CoordinatorError('malformed', `There is no role "${role.slice(0, 40)}"; a member is a site or an auditor.`);
}
