import { join } from 'node:path';
import type { StoreSecret } from '@coferment/crypto';
import { peekStatement, signStatement, WIRE_VERSION } from '@coferment/consortium';
import { AgentError } from '../agent.error.js';
import { CoordinatorRefusal } from '../connection/coordinator.errors.js';
import type { CoordinatorPort } from '../connection/coordinator.port.js';
import { parseRunViews } from '../connection/instruction.parser.js';
import { ObjectCache } from '../connection/object.cache.js';
import { SentRecorder } from '../connection/sent.recorder.js';
import { WireClient } from '../connection/wire.client.js';
import { lockFolder } from '../journal/folder.lock.js';
import { Journal } from '../journal/journal.js';
import { KeyStore } from '../keys/key.store.js';
import { requirePrivate } from '../keys/private.file.js';
import { eraseWorkingKeys, openIdentity } from '../keys/site.identity.js';
import { forgetRun } from '../rounds/run.departure.js';
import { type Departure, readDeparture, writeDeparture } from './departure.file.js';
import { type Membership, readMembership } from './membership.file.js';
import { callRenewed } from './renewed.call.js';
import { endpointOf } from './renewal.flow.js';
import { runsThatCount } from './unfinished.runs.js';

export interface LeaveInput {
  folder: string;
  passphrase: StoreSecret;
  reason: string;
  /** Leave although runs still count on this site. */
  abandonRuns: boolean;
}

/** What the coordinator is asked for, in the order of leaving. */
type LeavingPort = Pick<CoordinatorPort, 'poll' | 'submitStatement'>;

/**
 * Ends this site's membership: signed, told, then erased, each step durable before the next. Cut off anywhere, the same command goes on from there; on a site
 * that has left it changes nothing.
 * @throws AgentError 'in-runs' while a run counts on this site and `abandonRuns` is not set
 */
export async function leaveConsortium(input: LeaveInput): Promise<{ member: Membership; departure: Departure }> {
  requirePrivate(input.folder);
  const lock = lockFolder(input.folder);
  try {
    const member = readMembership(input.folder);
    if (member.role === 'auditor')
      throw new AgentError(
        'not-a-site',
        `"${member.site}" is an auditor and holds nothing of any run. Ask the operator to end the membership.`,
      );
    const store = KeyStore.open(join(input.folder, 'keys'), input.passphrase);
    const journal = Journal.open(join(input.folder, 'journal.sqlite'), { identity: openIdentity(store), vault: store });
    try {
      const begun = readDeparture(input.folder);
      const told = begun === undefined || begun.state === 'asked' ? await say(input, member, store, journal, begun) : begun;
      // Repeated on a site that has left: erasing what is erased is harmless, and a restored backup may have brought keys back.
      erase(store, journal, new ObjectCache(join(input.folder, 'objects')));
      journal.record.note({ kind: 'membership-left', reason: reasonOf(told) });
      const departure: Departure = { ...told, state: 'done' };
      if (told.state !== 'done') writeDeparture(input.folder, departure);
      return { member, departure };
    } finally {
      journal.close();
    }
  } finally {
    lock.release();
  }
}

async function say(input: LeaveInput, member: Membership, store: KeyStore, journal: Journal, begun?: Departure): Promise<Departure> {
  try {
    return await tell(input, member, store, journal, begun);
  } catch (error) {
    // The certificate has expired or is somebody else's to have, and this identity gets no new one.
    if (!isOver(error)) throw error;
    return keepTold(input.folder, begun ?? readDeparture(input.folder) ?? sign(input, member, store));
  }
}

function tell(input: LeaveInput, member: Membership, store: KeyStore, journal: Journal, begun?: Departure): Promise<Departure> {
  return callRenewed(input.folder, member, store, async (current, credential) => {
    const client = new WireClient(endpointOf(current), credential);
    const port = new SentRecorder(client, (item) => {
      const entry = journal.activity.sending(item);
      return (outcome) => journal.activity.noteOutcome(entry.id, outcome);
    });
    try {
      const asked = begun ?? readDeparture(input.folder) ?? (await decide(input, current, store, journal, port));
      await unlessOver(() => port.submitStatement(asked.statement));
      return keepTold(input.folder, asked);
    } finally {
      client.close();
    }
  });
}

/** Signs once: a leave that is repeated sends the same act. */
async function decide(input: LeaveInput, member: Membership, store: KeyStore, journal: Journal, port: LeavingPort): Promise<Departure> {
  const told = await unlessOver(() => poll(port));
  const runs = told === undefined ? [] : runsThatCount(parseRunViews(told.runs), journal.runs.all());
  if (runs.length > 0 && !input.abandonRuns) {
    throw new AgentError(
      'in-runs',
      `These runs count on this site: ${runs.join(', ')}. Wait until they are over, or ask the operator to leave this site out of them. To leave all the same, and let them wait for what this site owes them: --abandon-runs. Nothing was changed.`,
    );
  }
  return sign(input, member, store);
}

function sign({ folder, reason }: LeaveInput, { consortium, site }: Membership, store: KeyStore): Departure {
  const statement = signStatement('site-left', { consortium, site, reason }, openIdentity(store));
  const asked: Departure = { schema: 1, site, consortium, decidedAt: new Date().toISOString(), state: 'asked', statement };
  writeDeparture(folder, asked);
  return asked;
}

function keepTold(folder: string, asked: Departure): Departure {
  const told: Departure = { ...asked, state: 'told' };
  writeDeparture(folder, told);
  return told;
}

/** As it was signed: the same command, given again, may come with another one. */
function reasonOf({ statement }: Departure): string {
  const { name, predicate } = peekStatement(statement);
  return name === 'site-left' ? predicate.reason : '';
}

function poll(port: LeavingPort): ReturnType<LeavingPort['poll']> {
  return port.poll({ wireVersion: WIRE_VERSION, waitMs: 0, positions: [], known: '', authorities: 0 }, new AbortController().signal);
}

/** Where the membership is over already there is nobody to tell: the answer to an earlier try was lost, a backup was restored, or the operator was first. */
async function unlessOver<T>(call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await call();
  } catch (error) {
    if (isOver(error)) return undefined;
    throw error;
  }
}

/** By the coordinator's word: this identity left, was revoked, or (it signs for nobody) another one has the name now. */
function isOver(error: unknown): boolean {
  return error instanceof CoordinatorRefusal && ['site-left', 'site-revoked', 'bad-signature'].includes(error.refusal);
}

function erase(store: KeyStore, journal: Journal, objects: ObjectCache): void {
  const runs = journal.runs.all();
  for (const { run, state } of runs) {
    if (state === 'asked' || state === 'approved') journal.runs.setState(run, 'dead', 'This site has left the consortium.');
  }
  for (const { run } of runs) forgetRun({ store, objects, journal }, run);
  // Also of an epoch that the journal does not know: a sealing key is drawn before the roster is approved.
  store.erase('epochs');
  eraseWorkingKeys(store);
  journal.emptyLog();
}
