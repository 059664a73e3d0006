import { Injectable } from '@nestjs/common';
import { type EntityManager, In, IsNull, MoreThan } from 'typeorm';
import { ObjectEntity, type ObjectRow } from './object.entity.js';

@Injectable()
export class ObjectRepository {
  find(manager: EntityManager, digest: string): Promise<ObjectRow | null> {
    return manager.findOneBy(ObjectEntity, { digest });
  }

  /** Storing the same object again changes nothing. */
  async save(manager: EntityManager, row: ObjectRow): Promise<void> {
    await manager.createQueryBuilder().insert().into(ObjectEntity).values(row).orIgnore().execute();
  }

  /** Rows in the order of their digests, whose bytes are to be there. @param after not this one, nor those before it */
  kept(manager: EntityManager, after: string, count: number): Promise<ObjectRow[]> {
    return manager.find(ObjectEntity, { where: { digest: MoreThan(after), removedMs: IsNull() }, order: { digest: 'ASC' }, take: count });
  }

  /** Which of these digests are of objects whose bytes are to be there. */
  async named(manager: EntityManager, digests: readonly string[]): Promise<string[]> {
    const rows = (await manager.query('SELECT digest FROM object WHERE removed_ms IS NULL AND digest = ANY($1)', [digests])) as {
      digest: string;
    }[];
    return rows.map(({ digest }) => digest);
  }

  /** Gives up what sites sent for a run's sums; dealings stay, and so does all that was published. @returns of how many objects */
  async giveUp(manager: EntityManager, run: string, nowMs: number): Promise<number> {
    const { affected } = await manager.update(
      ObjectEntity,
      { run, purpose: In(['ciphertext', 'decryption-share']), removedMs: IsNull() },
      { removedMs: nowMs },
    );
    return affected ?? 0;
  }

  /** How many whole objects a site has stored in a run. */
  countOf(manager: EntityManager, of: Pick<ObjectRow, 'site' | 'run' | 'purpose'>): Promise<number> {
    return manager.countBy(ObjectEntity, of as { site: string; run: string; purpose: ObjectRow['purpose'] });
  }

  /** How many objects there are of each purpose, and their bytes. */
  async totals(manager: EntityManager): Promise<{ purpose: string; objects: number; bytes: number }[]> {
    const rows = (await manager.query(
      'SELECT purpose, count(*) AS objects, coalesce(sum(size), 0) AS bytes FROM object WHERE removed_ms IS NULL GROUP BY purpose',
    )) as { purpose: string; objects: string; bytes: string }[];
    return rows.map(({ purpose, objects, bytes }) => ({ purpose, objects: Number(objects), bytes: Number(bytes) }));
  }

  async setReader(manager: EntityManager, digest: string, reader: string): Promise<void> {
    await manager.update(ObjectEntity, { digest }, { reader });
  }
}
