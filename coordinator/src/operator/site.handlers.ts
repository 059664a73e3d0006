import { CreateInviteResponse, type OperatorServiceServer, RevokeSiteResponse } from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { AgentAddress, dialledAddress } from '../agent-port/agent.address.js';
import { unary } from '../agent-port/call.handler.js';
import { requireText } from '../agent-port/field.limits.js';
import { EnrolmentService } from '../enrolment/enrolment.service.js';
import { InviteService } from '../enrolment/invite.service.js';
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
    private readonly enrolment: EnrolmentService,
  ) {
    this.handlers = {
      createInvite: unary(async ({ site, validHours, address }) =>
        CreateInviteResponse.fromPartial({
          invite: await this.invites.invite(
            requireText('site', site, SITE_LENGTH),
            validHours,
            dialledAddress(address, this.address.value),
          ),
        }),
      ),
      admitSite: unary(() => Promise.reject(new CoordinatorError('internal', 'admitSite is not built yet'))),
      refuseSite: unary(() => Promise.reject(new CoordinatorError('internal', 'refuseSite is not built yet'))),
      removeSite: unary(() => Promise.reject(new CoordinatorError('internal', 'removeSite is not built yet'))),
      revokeSite: unary(async ({ site, reason }) => {
        await this.enrolment.revoke(requireText('site', site, SITE_LENGTH), reason.slice(0, REASON_LENGTH));
        return RevokeSiteResponse.fromPartial({});
      }),
    };
  }
}
