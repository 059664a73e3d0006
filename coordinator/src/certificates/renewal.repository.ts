import { Injectable } from '@nestjs/common';
import { type EntityManager, MoreThan } from 'typeorm';
import { SiteEntity } from '../enrolment/site.entity.js';
import { RenewalEntity, type RenewalRow } from './renewal.entity.js';

@Injectable()
export class RenewalRepository {
  async replaceCertificate(manager: EntityManager, site: string, certificateDigest: string, certificateExpiresMs: number): Promise<void> {
    await manager.update(SiteEntity, { site }, { certificateDigest, certificateExpiresMs });
  }

  newest(manager: EntityManager, site: string): Promise<RenewalRow | null> {
    return manager.findOneBy(RenewalEntity, { site });
  }

  byPrevious(manager: EntityManager, previousDigest: string, nowMs: number): Promise<RenewalRow | null> {
    return manager.findOneBy(RenewalEntity, { previousDigest, previousUntilMs: MoreThan(nowMs) });
  }

  async save(manager: EntityManager, row: RenewalRow): Promise<void> {
    await manager.save(RenewalEntity, row);
  }
}
