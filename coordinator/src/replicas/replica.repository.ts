import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** The database's clock in milliseconds: the one clock that all replicas have. It goes on inside a transaction. */
const NOW_MS = '(extract(epoch FROM clock_timestamp()) * 1000)::bigint';

/** When a coordinator was last seen, by the database's clock. */
export interface Sighting {
  id: string;
  address: string;
  seenMs: number;
  /** False after it has stopped in order. */
  isRunning: boolean;
}

@Injectable()
export class ReplicaRepository {
  /** @returns the database's time */
  async beat(manager: EntityManager, id: string, address: string): Promise<number> {
    const [row] = (await manager.query(
      `INSERT INTO replica (id, address, started_ms, seen_ms, is_running) VALUES ($1, $2, ${NOW_MS}, ${NOW_MS}, true)
       ON CONFLICT (id) DO UPDATE SET address = EXCLUDED.address, seen_ms = EXCLUDED.seen_ms, is_running = true
       RETURNING seen_ms`,
      [id, address],
    )) as [{ seen_ms: string }];
    return Number(row.seen_ms);
  }

  async stopped(manager: EntityManager, id: string): Promise<void> {
    await manager.query(`UPDATE replica SET is_running = false, seen_ms = ${NOW_MS} WHERE id = $1`, [id]);
  }

  async others(manager: EntityManager, id: string): Promise<{ nowMs: number; others: Sighting[] }> {
    const rows = (await manager.query('SELECT id, address, seen_ms, is_running FROM replica WHERE id <> $1 ORDER BY id', [id])) as {
      id: string;
      address: string;
      seen_ms: string;
      is_running: boolean;
    }[];
    const [now] = (await manager.query(`SELECT ${NOW_MS} AS now_ms`)) as [{ now_ms: string }];
    return {
      nowMs: Number(now.now_ms),
      others: rows.map((row) => ({ id: row.id, address: row.address, seenMs: Number(row.seen_ms), isRunning: row.is_running })),
    };
  }

  /** Takes work for a while, or keeps it. @returns false while another one has it */
  async takeLease(manager: EntityManager, name: string, holder: string, forMs: number): Promise<boolean> {
    const rows = (await manager.query(
      `INSERT INTO lease (name, holder, until_ms) VALUES ($1, $2, ${NOW_MS} + $3)
       ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, until_ms = EXCLUDED.until_ms
       WHERE lease.holder = EXCLUDED.holder OR lease.until_ms < ${NOW_MS}
       RETURNING name`,
      [name, holder, forMs],
    )) as unknown[];
    return rows.length === 1;
  }

  async endLease(manager: EntityManager, name: string, holder: string): Promise<void> {
    await manager.query('DELETE FROM lease WHERE name = $1 AND holder = $2', [name, holder]);
  }

  /** The name of the object store that the rows speak of: this one's, if none was known. */
  async objectStore(manager: EntityManager, id: string): Promise<string> {
    await manager.query('INSERT INTO object_store (id) SELECT $1 WHERE NOT EXISTS (SELECT FROM object_store) ON CONFLICT DO NOTHING', [id]);
    const [row] = (await manager.query('SELECT id FROM object_store')) as [{ id: string }];
    return row.id;
  }
}
