import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CoordinatorError } from '../errors/index.js';
import { readFacts } from '../identity/consortium.facts.js';
import { makePrivateTree, requirePrivate } from '../identity/private.file.js';
import { flushTree } from '../backup/folder.checksums.js';
import { type Replica, keepReplica } from './replica.file.js';

/** What makes a folder the consortium's. The facts come last: without them it is none. */
const KEYS = ['store.json', 'secrets.sealed', join('operator', 'client.sealed')];
const CHECKPOINT = 'checkpoint';
const FACTS = 'consortium.json';
/** A file that changes under the copying hand again and again is no accident any more. */
const MOST_TRIES = 5;

/**
 * Makes the data folder of a further coordinator on the same server: the keys, sealed as they are, and the last checkpoint. The first one may run meanwhile. Needs no passphrase.
 * @param out a folder that is not there yet, or empty
 * @throws CoordinatorError 'folder-unusable', 'file-exists'
 */
export async function makeReplica(folder: string, out: string): Promise<Replica & { consortium: string }> {
  const { consortium } = readFacts(folder);
  requirePrivate(folder);
  if (existsSync(join(folder, 'database')))
    throw new CoordinatorError(
      'folder-unusable',
      `The database of this coordinator is embedded in ${folder}: it belongs to one process, and a second one would destroy it. Replicas need a PostgreSQL server: found the consortium with DATABASE_URL set. If the folder is on a server by now, move ${join(folder, 'database')} away.`,
    );
  if (!existsSync(join(folder, CHECKPOINT)))
    throw new CoordinatorError('folder-unusable', `The coordinator of ${folder} has never run. Start it once, then make replicas.`);
  if (existsSync(out) && readdirSync(out).length > 0)
    throw new CoordinatorError('file-exists', `${out} is there already and is not empty. Nothing was changed; give a new folder.`);
  mkdirSync(out, { recursive: true, mode: 0o700 });
  copyTogether(folder, out);
  const replica = keepReplica(out, { copied: true });
  copyFileSync(join(folder, FACTS), join(out, FACTS));
  makePrivateTree(out);
  await flushTree(out);
  return { ...replica, consortium };
}

/** A running coordinator renews its certificates: what was read is read again until all of it is of one moment. */
function copyTogether(folder: string, out: string): void {
  for (let tries = 1; tries <= MOST_TRIES; tries++) {
    const before = KEYS.map((name) => readFileSync(join(folder, name)));
    for (const name of [...KEYS, CHECKPOINT]) {
      mkdirSync(dirname(join(out, name)), { recursive: true, mode: 0o700 });
      copyFileSync(join(folder, name), join(out, name));
    }
    if (
      KEYS.every(
        (name, index) => readFileSync(join(out, name)).equals(before[index]!) && readFileSync(join(folder, name)).equals(before[index]!),
      )
    )
      return;
  }
  throw new CoordinatorError('folder-unusable', `The keys in ${folder} change again and again. Wait a minute, then make the replica.`);
}
