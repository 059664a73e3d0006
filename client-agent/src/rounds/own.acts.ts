import { isLedgered, isOperatorStatement, parseStatement, runId, type Statement } from '@coferment/consortium';
import { bytesToHex, sha256Hex } from '@coferment/crypto';
import { leafHash, type LedgerEntry, MerkleFrontier, parseEntry, verifyEntry } from '@coferment/ledger';
import { AgentError, describeFailure } from '../agent.error.js';
import { CoordinatorRefusal } from '../connection/coordinator.errors.js';
import type { LoggedEntry } from '../connection/coordinator.port.js';
import { readRoll } from '../witness/roll.reading.js';
import { deadText, leaveEpoch, leaveRun } from './run.departure.js';
import type { SiteContext } from './site.context.js';

/*
 * The one rule about a data folder that was restored from a backup (secure-aggregation.md R6): a valid signature of this site that its journal does not know
 * means that other signatures, ciphertexts and shares may have left it too, and nobody here can tell which. The key epoch is over for this site: in it, it
 * signs, encrypts and opens nothing more. Only a signature that was VERIFIED counts: otherwise whoever writes into the ledger could end epochs.
 */

/** Entries of one request. The largest are some tens of kilobytes, so that a page stays far below what a message may have. */
const PAGE = 64;

/**
 * For an act that the coordinator shows with an instruction.
 * @param digest of an act of this site whose signature was verified
 * @throws AgentError 'epoch-dead'
 */
export function requireRemembered(context: SiteContext, run: string, epoch: number, what: string, digest: string): void {
  const { statements, ownActs } = context.journal;
  if (statements.has(digest) || ownActs.whyDead(run, epoch) !== undefined) return;
  const reason = forgotten(what);
  leaveEpoch(context, run, epoch, reason);
  throw new AgentError('epoch-dead', deadText(run, epoch, reason));
}

/**
 * Reads what the ledger has of this site's own acts since it looked last; before it has, nothing else is done. A coordinator that hides entries is not
 * found out here: what it shows with its instructions is compared too, and the log's consistency is the business of witnesses.
 * @throws AgentError 'malformed-response' for pages that are none
 */
export async function recallOwnActs(context: SiteContext): Promise<void> {
  const { journal, port } = context;
  const tree = await readSoFar(context);
  for (;;) {
    const start = Number(tree.size);
    const page = await port.ledgerEntries(start, PAGE);
    requirePage(page, start);
    const last = page.at(-1);
    if (last !== undefined) {
      for (const entry of page) {
        recallEntry(context, entry);
        tree.append(leafHash(entry.entry));
      }
      // After the epochs are dead: cut off in between, the page is read again.
      journal.transaction(() => {
        readRoll(journal.roll, context, page);
        journal.ownActs.moveTo({ entries: Number(tree.size), lastEntry: sha256Hex(last.entry), subtrees: tree.subtrees });
      });
    }
    if (page.length < PAGE) return;
  }
}

/** The tree of what was read. Reading begins anew if what was read last is not what stands there now, or was read before there was a tree. */
async function readSoFar({ journal, port }: SiteContext): Promise<MerkleFrontier> {
  const { entries, lastEntry, subtrees } = journal.ownActs.position();
  if (entries > 0) {
    const [last] = await port.ledgerEntries(entries - 1, 1);
    if (subtrees !== undefined && last !== undefined && sha256Hex(last.entry) === lastEntry)
      return MerkleFrontier.resume(BigInt(entries), subtrees);
  }
  journal.roll.clear();
  return MerkleFrontier.empty();
}

function requirePage(page: readonly LoggedEntry[], start: number): void {
  if (page.length <= PAGE && page.every(({ index }, offset) => index === start + offset)) return;
  throw new AgentError(
    'malformed-response',
    `The ledger was asked for ${PAGE} entries from ${start} on; other ones came. Ask the operator, and have the ledger audited.`,
  );
}

function recallEntry(context: SiteContext, logged: LoggedEntry): void {
  const act = forgottenAct(context, logged);
  if (act === undefined) return;
  const { ownActs, rounds } = context.journal;
  const reason = forgotten(`Entry ${logged.index} of the ledger (${act.name})`);
  if (act.name === 'plan-approved') return forgetRunOf(context, act, reason);
  if (!('run' in act.predicate)) return;
  const { run } = act.predicate;
  if (act.name === 'attestation') rounds.recallAttestation(act.predicate);
  const e = 'e' in act.predicate ? act.predicate.e : null;
  const epoch = 'epoch' in act.predicate ? act.predicate.epoch : ownActs.epochOf(run, e ?? '');
  const upload = act.name === 'contribution' ? act.predicate : undefined;
  ownActs.noteForgotten({
    digest: act.digest,
    run,
    name: act.name,
    epoch: epoch ?? null,
    e,
    kind: upload?.kind ?? null,
    sum: upload?.sum ?? null,
  });
  if (epoch === undefined) leaveRun(context, run, reason);
  else if (ownActs.whyDead(run, epoch) === undefined) refuseEpoch(context, run, epoch, reason);
}

/** The act of an entry that this site has signed and forgotten. What is not an entry, not signed, or somebody else's is none of its business. */
function forgottenAct(context: SiteContext, { entry, payload }: LoggedEntry): Statement | undefined {
  let parsed: LedgerEntry;
  let act: Statement;
  try {
    parsed = parseEntry(entry);
    if (bytesToHex(parsed.publicKey) !== bytesToHex(context.identity.publicKey)) return undefined;
    // What is remembered is not looked at: beside an entry that is known, a payload that nobody has signed could stand.
    if (context.journal.statements.has(parsed.payloadHash)) return undefined;
    verifyEntry(parsed, payload);
    act = parseStatement(payload);
  } catch {
    return undefined;
  }
  const { predicate } = act;
  // A nonce is signed and never stored, and an honest coordinator logs none: one that stands in the ledger tells nothing about this folder.
  const own = isLedgered(act.name) && !isOperatorStatement(act.name) && 'site' in predicate && predicate.site === context.site;
  return own && predicate.consortium === context.consortium ? act : undefined;
}

/** The approval itself is forgotten: the run is known here from the act alone, so that its ordinal stays used up and nothing is ever signed in it. */
function forgetRunOf(context: SiteContext, { predicate }: Statement<'plan-approved'>, reason: string): void {
  const { plan, ordinal, sites } = predicate;
  const run = runId(plan, ordinal);
  if (context.journal.runs.get(run) === undefined) context.journal.runs.announce(run, plan, ordinal, sites);
  leaveRun(context, run, `${reason} A new run is needed.`);
  tellPeople(context, run, `run ${run}`, `This site takes no part in ${run}: ${reason} A new run is needed.`);
}

function refuseEpoch(context: SiteContext, run: string, epoch: number, reason: string): void {
  leaveEpoch(context, run, epoch, reason);
  tellPeople(context, run, `key epoch ${epoch}`, deadText(run, epoch, reason));
}

function tellPeople(context: SiteContext, run: string, subject: string, message: string): void {
  if (context.journal.activity.refuse(run, subject, 'epoch-dead', message))
    context.tell({ event: 'refused', run, code: 'epoch-dead', message });
}

function forgotten(what: string): string {
  return `${what} was signed by this site, but its journal does not know it: this data folder was restored from a backup.`;
}

/** Tells the coordinator of epochs that this site has left, once each. It is told, not asked: its refusal changes nothing. */
export async function tellDeadEpochs(context: SiteContext): Promise<void> {
  const { journal, consortium, site, port } = context;
  for (const { run, epoch } of journal.ownActs.untold()) {
    if (journal.runs.get(run)?.state === 'approved') {
      const left = journal.statements.sign(run, 'epoch-left', String(epoch), { consortium, run, epoch, site, reason: 'restored' });
      try {
        await port.submitStatement(left.envelope);
      } catch (error) {
        if (!(error instanceof CoordinatorRefusal) || describeFailure(error).code === 'unreachable') throw error;
      }
    }
    journal.ownActs.noteTold(run, epoch);
  }
}
