import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Plan, type Roster, parsePlan, parseRoster } from '@coferment/consortium';
import { type NamedObject, objectPath, stateOf } from '../export/index.js';
import type { Recorded } from '../verify/index.js';
import type { MissingObject } from './recomputation.report.js';
import type { RunRecord } from './run.record.js';

/** Something that the ledger names is not in the export, or is not what it names. */
export class ObjectProblem extends Error {
  override readonly name = 'ObjectProblem';

  constructor(
    readonly object: NamedObject,
    readonly isMissing: boolean,
    message: string,
  ) {
    super(message);
  }

  get missing(): MissingObject {
    const { digest, what, entry } = this.object;
    return { path: objectPath(digest), what, entry };
  }
}

/** The plan of a run. @throws ObjectProblem */
export async function readPlan(folder: string, { opened }: RunRecord): Promise<Plan> {
  const { plan: digest, run } = opened.predicate;
  const object = { what: `the plan of ${run}`, entry: `entry ${opened.index} (run-opened)`, digest, size: undefined };
  return readNamed(folder, object, (bytes) => parsePlan(JSON.parse(bytes.toString('utf8'))));
}

/** The roster of a key epoch, which says the same as its entry. @throws ObjectProblem */
export async function readRoster(folder: string, epoch: Recorded<'key-epoch'>): Promise<Roster> {
  const { roster: digest, numbers, keyHolders } = epoch.predicate;
  const object = {
    what: `the roster of key epoch ${epoch.predicate.epoch}`,
    entry: `entry ${epoch.index} (key-epoch)`,
    digest,
    size: undefined,
  };
  const roster = await readNamed(folder, object, (bytes) => parseRoster(new Uint8Array(bytes)));
  const holders = roster.keyHolders.map(({ site }) => site);
  if (
    holders.join() !== keyHolders.join() ||
    (Object.keys(numbers) as (keyof typeof numbers)[]).some((n) => numbers[n] !== roster.numbers[n])
  )
    throw new ObjectProblem(object, false, 'it lists other key holders or quorum numbers than its entry');
  return roster;
}

async function readNamed<T>(folder: string, object: NamedObject, parse: (bytes: Buffer) => T): Promise<T> {
  const found = await stateOf(folder, object);
  switch (found.state) {
    case 'missing':
      throw new ObjectProblem(object, true, 'it is not in the export');
    case 'changed':
      throw new ObjectProblem(object, false, `it was changed: its ${found.size} bytes have SHA-256 ${found.found}`);
    case 'right':
      try {
        return parse(await readFile(join(folder, objectPath(object.digest))));
      } catch (error) {
        throw new ObjectProblem(object, false, (error as Error).message);
      }
  }
}
