import { Global, Module } from '@nestjs/common';
import { AuthoritiesRepository } from './authorities.repository.js';
import { AuthorityRollover } from './authority.rollover.js';
import { CertificateHolders } from './certificate.holders.js';
import { OwnCertificates } from './own.certificates.js';
import { RenewalRepository } from './renewal.repository.js';
import { RenewalService } from './renewal.service.js';

@Global()
@Module({
  providers: [AuthoritiesRepository, AuthorityRollover, CertificateHolders, OwnCertificates, RenewalRepository, RenewalService],
  exports: [AuthorityRollover, CertificateHolders, OwnCertificates, RenewalService],
})
export class CertificatesModule {}
