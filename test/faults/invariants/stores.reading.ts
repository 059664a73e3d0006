import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseStatement } from '@coferment/consortium';
import { JournalDatabase } from '../../../client-agent/src/journal/journal.database.js';
import { inspectRecord } from '../../../client-agent/src/journal/record.reader.js';
import type { ConsortiumStores, StoredSite } from './stores.js';

/** One statement to the coordinator's database, on whichever engine. */
export type Query = (statement: string) => Promise<unknown[]>;

export interface Places {
  /** The coordinator's data folder. */
  folder: string;
  query: Query;
  /** Data folders of agents that stand still. */
  agents: readonly { site: string; folder: string }[];
}

type Envelope = { payload: string };

const payloadOf = (envelope: Envelope) => parseStatement(Buffer.from(envelope.payload, 'base64'));

export async function readStores({ folder, query, agents }: Places): Promise<ConsortiumStores> {
  const read = async <T>(statement: string): Promise<T[]> => (await query(statement)) as T[];
  const acts = await read<{ run: string; site: string; slot: string; digest: string; envelope: Envelope }>(
    'SELECT run, site, slot, digest, envelope FROM act ORDER BY sequence',
  );
  const entries = await read<{ index: string; payload: Uint8Array }>('SELECT index, payload FROM ledger_entry ORDER BY index');
  const objects = await read<{ digest: string; size: string }>('SELECT digest, size FROM object');
  return {
    runs: await read('SELECT run, state, model, sites FROM run'),
    rounds: await read(
      'SELECT run, sum, kind, round, state, attempt, k, t, counted, excluded, model_in AS "modelIn", model_out AS "modelOut" FROM round ORDER BY run, sum',
    ),
    acts: acts.map(({ envelope, ...act }) => ({ ...act, statement: payloadOf(envelope) })),
    events: await read('SELECT run, type, state, sum FROM event ORDER BY sequence'),
    models: await read('SELECT run, round, model, object FROM model_state'),
    objects: objects.map(({ digest, size }) => ({ digest, size: Number(size) })),
    ledger: entries.map(({ index, payload }) => {
      const statement = parseStatement(payload);
      return { index: Number(index), digest: statement.digest, statement };
    }),
    files: filesIn(join(folder, 'objects')),
    sites: agents.map(readSite),
  };
}

function readSite({ site, folder }: { site: string; folder: string }): StoredSite {
  const journal = JournalDatabase.inspect(join(folder, 'journal.sqlite'));
  try {
    const statements = journal.all('SELECT run, name, subject, digest, envelope FROM statements').map((row) => ({
      run: String(row['run']),
      name: String(row['name']),
      subject: String(row['subject']),
      digest: String(row['digest']),
      statement: payloadOf(JSON.parse(String(row['envelope'])) as Envelope),
    }));
    const facts = inspectRecord(folder).lines.map(({ line }) => JSON.parse(line) as { kind: string });
    return {
      site,
      statements,
      steps: facts.filter(({ kind }) => kind === 'step') as unknown as StoredSite['steps'],
      applied: facts.filter(({ kind }) => kind === 'applied') as unknown as StoredSite['applied'],
    };
  } finally {
    journal.close();
  }
}

/** All files below a folder, by their paths from there. */
function filesIn(folder: string): { path: string; size: number }[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => ({ path, stats: statSync(join(folder, path)) }))
    .filter(({ stats }) => stats.isFile())
    .map(({ path, stats }) => ({ path, size: stats.size }));
}
