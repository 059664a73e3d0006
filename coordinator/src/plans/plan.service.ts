import { parsePlan, planBytes, planDigest, signStatement } from '@coferment/consortium';
import { Injectable } from '@nestjs/common';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { ObjectService } from '../objects/object.service.js';
import { Database } from '../persistence/database.js';
import { PublicationService } from '../publication/publication.service.js';
import { PlanRepository } from './plan.repository.js';

/** Plans that the operator has published. A plan never changes; its digest is its name. */
@Injectable()
export class PlanService {
  constructor(
    private readonly database: Database,
    private readonly repository: PlanRepository,
    private readonly objects: ObjectService,
    private readonly identity: ConsortiumIdentity,
    private readonly publication: PublicationService,
  ) {}

  /** Publishing the same plan again changes nothing. @throws ConsortiumError 'invalid-plan', 'not-built-yet' */
  async publish(text: string): Promise<{ plan: string; name: string }> {
    const plan = parsePlan(text);
    const digest = planDigest(plan);
    await this.objects.publish(planBytes(plan));
    await this.database.transaction(async (manager) => {
      if ((await this.repository.find(manager, digest)) !== null) return;
      await this.repository.save(manager, { digest, name: plan.plan, publishedMs: Date.now() });
      const { facts, operator } = this.identity;
      const envelope = signStatement('plan-published', { consortium: facts.consortium, plan: digest, name: plan.plan }, operator);
      await this.publication.append(manager, envelope, operator.publicKey);
    });
    await this.publication.follow();
    return { plan: digest, name: plan.plan };
  }
}
