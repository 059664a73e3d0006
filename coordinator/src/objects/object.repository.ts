import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
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

  /** How many whole objects a site has stored in a run. */
  countOf(manager: EntityManager, of: Pick<ObjectRow, 'site' | 'run' | 'purpose'>): Promise<number> {
    return manager.countBy(ObjectEntity, of as { site: string; run: string; purpose: ObjectRow['purpose'] });
  }

  /** How many objects there are of each purpose, and their bytes. */
  async totals(manager: EntityManager): Promise<{ purpose: string; objects: number; bytes: number }[]> {
    const rows = (await manager.query(
      'SELECT purpose, count(*) AS objects, coalesce(sum(size), 0) AS bytes FROM object GROUP BY purpose',
    )) as { purpose: string; objects: string; bytes: string }[];
    return rows.map(({ purpose, objects, bytes }) => ({ purpose, objects: Number(objects), bytes: Number(bytes) }));
  }

  async setReader(manager: EntityManager, digest: string, reader: string): Promise<void> {
    await manager.update(ObjectEntity, { digest }, { reader });
  }
}
