import { Global, Module } from '@nestjs/common';
import { EnrolmentController } from './enrolment.controller.js';
import { EnrolmentRepository } from './enrolment.repository.js';
import { EnrolmentService } from './enrolment.service.js';
import { InviteService } from './invite.service.js';
import { MembershipService } from './membership.service.js';

@Global()
@Module({
  providers: [EnrolmentController, EnrolmentRepository, EnrolmentService, InviteService, MembershipService],
  exports: [EnrolmentController, EnrolmentRepository, EnrolmentService, InviteService, MembershipService],
})
export class EnrolmentModule {}
