import { Global, Module } from '@nestjs/common';
import { EnrolmentController } from './enrolment.controller.js';
import { EnrolmentRepository } from './enrolment.repository.js';
import { EnrolmentService } from './enrolment.service.js';
import { InviteService } from './invite.service.js';

@Global()
@Module({
  providers: [EnrolmentController, EnrolmentRepository, EnrolmentService, InviteService],
  exports: [EnrolmentController, EnrolmentRepository, EnrolmentService, InviteService],
})
export class EnrolmentModule {}
