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

  async setReader(manager: EntityManager, digest: string, reader: string): Promise<void> {
    await manager.update(ObjectEntity, { digest }, { reader });
  }
}
