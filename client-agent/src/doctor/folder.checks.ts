import { existsSync, readdirSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parsePlan } from '@coferment/consortium';
import { describeFailure } from '../agent.error.js';
import { failed, type Finding, passed, skipped, warned } from '../connection/finding.js';
import { ObjectCache } from '../connection/object.cache.js';
import { Journal } from '../journal/journal.js';
import { leavingItems } from '../policy/leaving.items.js';

const LEAST_FREE_BYTES = 1024 ** 3;
/** Below this even statements and keys may not be stored. */
const MUST_BE_FREE_BYTES = 64 * 1024 ** 2;
const GIBIBYTE = 1024 ** 3;

/** The data folder: who may read it, room, and the journal in it. Commands of another user must not leave files there that the agent cannot write. */
export function checkFolder(folder: string): Finding[] {
  if (!existsSync(folder)) {
    const parent = existingParent(folder);
    return [checkRoom(parent, parent, LEAST_FREE_BYTES), skipped('file rights', `${folder} is made when this site joins`)];
  }
  const owner = foreignOwner(folder);
  if (owner !== undefined) {
    const advice = `Run this command as that user: sudo -u '#${owner}' coferment-agent doctor …`;
    const found = `${folder} belongs to user ${owner}, this command runs as user ${process.getuid?.() ?? '?'}`;
    return [
      warned('file rights', found, advice),
      skipped('disk', 'only its owner writes there'),
      skipped('journal', 'only its owner opens it'),
    ];
  }
  const journal = checkJournal(folder);
  return [checkRoom(folder, folder, journal.needed), checkRights(folder), journal.finding];
}

function checkRoom(folder: string, shown: string, needed: number): Finding {
  const probe = join(folder, `.doctor-${process.pid}`);
  try {
    writeFileSync(probe, 'x', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    const { code } = describeFailure(error);
    return failed('disk', `nothing can be written in ${shown} (${code})`, writingAdvice(code));
  } finally {
    rmSync(probe, { force: true });
  }
  const { bavail, bsize } = statfsSync(folder);
  return roomFinding(shown, bavail * bsize, needed);
}

export function roomFinding(folder: string, free: number, needed: number): Finding {
  const wanted = Math.max(needed, LEAST_FREE_BYTES);
  const found = `${gib(free)} are free in ${folder}`;
  if (free >= wanted) return passed('disk', found);
  const advice = `Make room, or move the data folder to a disk with at least ${gib(wanted)}.`;
  if (free < needed) return failed('disk', `${found}; the plans that this site takes part in need ${gib(needed)}`, advice);
  if (free < MUST_BE_FREE_BYTES) return failed('disk', found, advice);
  return warned('disk', `${found}, less than ${gib(LEAST_FREE_BYTES)}`, advice);
}

function writingAdvice(code: string): string {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'The disk is full: make room, or move the data folder.';
    case 'EROFS':
      return 'It is mounted read-only: mount it for writing, or allow it in the systemd unit (ReadWritePaths=).';
    default:
      return 'Give the user that runs the agent the right to write there.';
  }
}

function gib(bytes: number): string {
  return `${(bytes / GIBIBYTE).toFixed(bytes < 10 * GIBIBYTE ? 2 : 0)} GiB`;
}

/**
 * Files that others may read. With keys that they can get at the agent does not start, and so this fails; the journal beside them says with whom this company works.
 */
function checkRights(folder: string): Finding {
  if (process.platform === 'win32') return skipped('file rights', 'Windows has none of this kind');
  const keys = join(folder, 'keys');
  const refused = existsSync(keys) ? [folder, keys, ...keyFiles(keys)] : [];
  const open = [...refused, folder, ...['journal.sqlite', 'agent.log'].map((name) => join(folder, name)).filter(existsSync)]
    .map((path) => ({ path, mode: statSync(path).mode & 0o777 }))
    .filter(({ mode }) => (mode & 0o077) !== 0);
  const [first] = open;
  if (first === undefined) return passed('file rights', 'only their owner can read the keys and the journal');
  const more = new Set(open.map(({ path }) => path)).size - 1;
  const found = `others can read ${first.path} (mode ${first.mode.toString(8)})${more > 0 ? ` and ${more} more` : ''}`;
  const mend = `chmod -R go= ${folder}`;
  if (!refused.includes(first.path)) return warned('file rights', found, mend);
  return failed('file rights', `${found}; the agent refuses keys that others can get at`, `Decide whether they were read, then: ${mend}`);
}

function keyFiles(keys: string): string[] {
  return readdirSync(keys, { recursive: true, encoding: 'utf8' }).map((name) => join(keys, name));
}

function checkJournal(folder: string): { finding: Finding; needed: number } {
  const path = join(folder, 'journal.sqlite');
  if (!existsSync(path))
    return { finding: skipped('journal', `there is none in ${folder} yet: it begins when the agent first serves`), needed: 0 };
  try {
    const journal = Journal.open(path);
    try {
      const runs = journal.runs.all();
      const needed = bytesOfOpenRuns(folder, runs);
      return { finding: passed('journal', `it opens; ${runs.length} ${runs.length === 1 ? 'run' : 'runs'} known`), needed };
    } finally {
      journal.close();
    }
  } catch (error) {
    const { message } = describeFailure(error);
    return {
      finding: failed('journal', message, 'Stop the agent before restoring a backup; what it signed since stands in the ledger.'),
      needed: 0,
    };
  }
}

/** Everything that the open runs send, twice over: it is stored before it leaves, and about as much comes back. */
function bytesOfOpenRuns(folder: string, runs: readonly { plan: string; state: string; sites: readonly string[] }[]): number {
  const objects = new ObjectCache(join(folder, 'objects'));
  return runs
    .filter(({ state }) => state !== 'closed')
    .reduce((sum, { plan, sites }) => {
      const bytes = objects.read(plan);
      if (bytes === undefined) return sum;
      const leaving = leavingItems(parsePlan(JSON.parse(Buffer.from(bytes).toString('utf8'))), sites.length);
      return sum + 2 * leaving.reduce((total, item) => total + item.bytes * item.times, 0);
    }, 0);
}

function foreignOwner(folder: string): number | undefined {
  const owner = statSync(folder).uid;
  return process.platform === 'win32' || process.getuid?.() === owner ? undefined : owner;
}

function existingParent(path: string): string {
  const parent = dirname(resolve(path));
  return existsSync(parent) ? parent : existingParent(parent);
}
