import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { peekStatement, planDigest, type Predicate, type PredicateName, type Roster, runId, signStatement } from '@coferment/consortium';
import { type DsseEnvelope, type Identity, sha256Hex } from '@coferment/crypto';
import { copyFolder } from '../../../client-agent/src/testing/folder.copy.fixture.js';
import type { FrozenSum, SumName } from '../../../client-agent/src/connection/instruction.parser.js';
import { Journal } from '../../../client-agent/src/journal/journal.js';
import { approvePlan, offerSealingKey } from '../../../client-agent/src/rounds/approval.handlers.js';
import { checkDealing, dealKey } from '../../../client-agent/src/rounds/ceremony.handlers.js';
import { ScriptedConsortium } from '../../../client-agent/src/rounds/consortium.fixture.js';
import { NonceMemory } from '../../../client-agent/src/rounds/nonce.memory.js';
import { CONSORTIUM, type Member, SharedBoard } from '../../../client-agent/src/rounds/members.fixture.js';
import { temporaryFolder } from '../../../client-agent/src/testing/temporary.folder.fixture.js';

export type Entry = { sum: number; k: string; t: string; set: string; modelIn: string };

const opened: AttackedConsortium[] = [];

/** Real agents on real journals and key stores, under a coordinator that does what the attack says. Sites named corrupt sign whatever it wants. */
export class AttackedConsortium extends ScriptedConsortium {
  /** @param sites more than three, so that one can be left out */
  static async inTraining(sites: readonly string[] = ['a', 'b', 'c', 'd'], rounds = 2): Promise<AttackedConsortium> {
    const consortium = new AttackedConsortium(sites, rounds);
    opened.push(consortium);
    await consortium.toRounds();
    return consortium;
  }

  #checkpoint: (() => void) | undefined;

  /** Remembers everything at the sites and at the coordinator, for {@link rewind}. */
  checkpoint(): this {
    const images = this.members.map((member) => [member, imageOf(member)] as const);
    const [acts, objects, ledger] = [[...this.board.acts], [...this.board.objects], [...this.board.ledger]];
    const { run, epoch, roster, e0, e, state, members } = this;
    const order = [...members];
    this.#checkpoint = () => {
      members.splice(0, members.length, ...order);
      for (const [member, image] of images) relive(member, image);
      this.board.acts.splice(0, Infinity, ...acts);
      this.board.ledger.splice(0, Infinity, ...ledger);
      this.board.objects.clear();
      for (const [digest, bytes] of objects) this.board.objects.set(digest, bytes);
      this.board.failing = false;
      Object.assign(this, { run, epoch, roster, e0, e, state });
    };
    return this;
  }

  /** As it was at the checkpoint, with every process started anew. */
  rewind(): void {
    this.#checkpoint?.();
  }

  /** A restart of its process, without deriving the key of the key store again. */
  restarted(site: string): Member {
    return relive(this.member(site));
  }

  /** The key epoch is agreed, nothing is confirmed yet. */
  static async beforeConfirming(sites: readonly string[] = ['a', 'b', 'c']): Promise<AttackedConsortium> {
    const consortium = new AttackedConsortium(sites);
    opened.push(consortium);
    consortium.openEpoch();
    await consortium.ceremony();
    return consortium;
  }

  /** All have dealt, and, unless `checked` is false, acknowledged all dealings; nobody has signed the epoch. */
  static async beforeAgreeing(sites: readonly string[], checked = true): Promise<AttackedConsortium> {
    const consortium = new AttackedConsortium(sites);
    opened.push(consortium);
    consortium.openEpoch();
    for (const member of consortium.members) await dealKey(member, { run: consortium.run, epoch: 1 });
    const dealings = checked ? consortium.board.latest('dealing') : [];
    for (const member of consortium.members)
      for (const dealing of dealings) await checkDealing(member, { run: consortium.run, epoch: 1, dealing });
    return consortium;
  }

  /** A further run that every site has approved, as far as its sealing keys. Returns each site's. */
  async approvedRun(ordinal: number): Promise<(site: string) => Roster['sealingKeys'][number]> {
    const plan = planDigest(this.plan);
    const request = { run: runId(plan, ordinal), ordinal, plan, sites: this.sites };
    for (const member of this.members) {
      member.journal.approvals.decidePlan(plan, ordinal, 'approved', this.sites);
      await approvePlan(member, request);
      await offerSealingKey(member, { run: request.run, ordinal, plan, epoch: 1 });
    }
    Object.assign(this, { run: request.run });
    return (site) => {
      const { envelope, predicate } = this.acts('sealing-key').findLast((act) => act.site === site)!;
      return { site, key: predicate.key, envelope };
    };
  }

  get sites(): string[] {
    return this.members.map(({ site }) => site);
  }

  without(...left: string[]): string[] {
    return this.sites.filter((site) => !left.includes(site));
  }

  /** The number of the first sum in training: after one confirm sum a site and the statistics. */
  get firstUpdate(): number {
    return this.members.length + 2;
  }

  update(sum = this.firstUpdate, round = 1, attempt = 1): SumName {
    return this.name('update', sum, round, attempt);
  }

  /** Every site's person has approved a further run of the plan, with the roster of the first; the coordinator goes on in it from here. */
  async nextRun(ordinal: number): Promise<void> {
    Object.assign(this, { run: runId(planDigest(this.plan), ordinal) });
    this.board.acts.length = 0;
    this.openEpoch(ordinal);
    await this.ceremony();
  }

  /** What this sum's attestation says of it. */
  entryOf(frozen: FrozenSum): Entry {
    const { k, t, set, modelIn } = this.contextOf(frozen);
    return { sum: frozen.name.sum, k, t, set, modelIn };
  }

  /** The signature of a corrupt site over any T. */
  corruptAttestation(site: string, frozen: FrozenSum, change: Partial<Predicate<'attestation'>> = {}): DsseEnvelope {
    const { run, epoch, kind } = frozen.name;
    const predicate = { consortium: CONSORTIUM, run, epoch, e: this.e, kind, site, sums: [this.entryOf(frozen)], ...change };
    return signStatement('attestation', predicate, this.member(site).identity);
  }

  /** Everything signed over this T so far, one for each site. */
  attestationsOver(t: string): DsseEnvelope[] {
    const found = this.board.acts.filter(({ envelope }) => {
      const { name, predicate } = peekStatement(envelope);
      return name === 'attestation' && predicate.sums.some((entry) => entry['t'] === t);
    });
    return [...new Map(found.map(({ site, envelope }) => [site, envelope])).values()];
  }

  acts<N extends PredicateName>(name: N): { site: string; envelope: DsseEnvelope; predicate: Predicate<N>; digest: string }[] {
    return this.board.acts.flatMap(({ site, envelope }) => {
      const statement = peekStatement(envelope);
      return statement.name === name ? [{ site, envelope, predicate: statement.predicate as Predicate<N>, digest: statement.digest }] : [];
    });
  }

  /** Uploads of one attempt, in site order. */
  uploads({ sum, attempt }: SumName, sites = this.sites): DsseEnvelope[] {
    const found = this.acts('contribution').filter(({ predicate }) => predicate.sum === sum && predicate.attempt === attempt);
    return sites.flatMap((site) => found.find((act) => act.site === site)?.envelope ?? []);
  }
}

export function closeAll(): void {
  for (const consortium of opened.splice(0)) consortium.close();
}

export function resign<N extends PredicateName>(
  envelope: DsseEnvelope,
  name: N,
  change: Partial<Predicate<N>>,
  identity: Identity,
): DsseEnvelope {
  return signStatement(name, { ...(peekStatement(envelope).predicate as Predicate<N>), ...change }, identity);
}

/** Everything durable at a site: the rows of its journal, and digests of its key records and objects. */
interface Durable {
  rows: Record<string, unknown[]>;
  files: Record<string, string>;
}

function durableOf({ folder }: Pick<Member, 'folder'>): Durable {
  const journal = new DatabaseSync(join(folder, 'journal.sqlite'), { readOnly: true });
  try {
    const tables = journal.prepare("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").all();
    const rows = tables.map(({ name }) => [String(name), journal.prepare(`SELECT * FROM ${String(name)}`).all()] as const);
    return { rows: Object.fromEntries(rows), files: digestsIn(folder, ['keys', 'objects']) };
  } finally {
    journal.close();
  }
}

function digestsIn(folder: string, parts: readonly string[]): Record<string, string> {
  const files: Record<string, string> = {};
  for (const part of parts) {
    if (!existsSync(join(folder, part))) continue;
    for (const entry of readdirSync(join(folder, part), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      if (entry.isFile()) files[relative(folder, path)] = sha256Hex(readFileSync(path));
    }
  }
  return files;
}

export async function failureOf(work: Promise<unknown> | (() => unknown)): Promise<{ code: string; message: string }> {
  try {
    const result = await (typeof work === 'function' ? work() : work);
    return { code: 'no refusal', message: JSON.stringify(result) ?? '' };
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    return { code: typeof code === 'string' ? code : 'no code', message };
  }
}

/**
 * What came of an attack on one site: the code of its refusal, what it sent meanwhile, and which of its durable state is another than before.
 * An attack that was refused well changes nothing and sends nothing.
 */
export async function attack(
  board: SharedBoard,
  victim: Member,
  work: () => Promise<unknown>,
): Promise<{ code: string; changed: string[]; sent: string[] }> {
  const [before, acts, objects] = [durableOf(victim), board.acts.length, board.objects.size];
  const { code } = await failureOf(work);
  const after = durableOf(victim);
  const tables = Object.keys(after.rows).filter((table) => JSON.stringify(after.rows[table]) !== JSON.stringify(before.rows[table]));
  const names = new Set([...Object.keys(before.files), ...Object.keys(after.files)]);
  const files = [...names].filter((file) => after.files[file] !== before.files[file]);
  const sent = board.acts.slice(acts).map(({ envelope }) => peekStatement(envelope).name as string);
  if (board.objects.size !== objects) sent.push('object');
  return { code, changed: [...tables, ...files], sent };
}

export const refusedWith = (code: string) => ({ code, changed: [], sent: [] });

/** A copy of a site's folder as it lies on the disk this instant: what a power cut, a kill or a backup would leave. */
export function imageOf({ folder }: Pick<Member, 'folder'>): string {
  const image = temporaryFolder('image');
  copyFolder(folder, image);
  return image;
}

/** The same site in a new process, on its folder as it is or as it was in an image. */
export function relive(member: Member, image?: string): Member {
  try {
    member.journal.close();
  } catch {
    // Closed already: its process was ended by the attack.
  }
  if (image !== undefined) {
    rmSync(member.folder, { recursive: true, force: true });
    copyFolder(image, member.folder);
  }
  const journal = Journal.open(join(member.folder, 'journal.sqlite'), { identity: member.identity, vault: member.store });
  return Object.assign(member, { journal, nonces: new NonceMemory() });
}

/**
 * A second life of the site with a journal of its own, which begins as it is now; keys and objects are shared, so it is quick and may only be asked for what
 * writes neither.
 */
export function fork(member: Member): Member {
  const folder = temporaryFolder('fork');
  for (const file of readdirSync(member.folder)) if (file.startsWith('journal')) cpSync(join(member.folder, file), join(folder, file));
  return { ...member, folder, journal: Journal.open(join(folder, 'journal.sqlite'), { identity: member.identity, vault: member.store }) };
}

/** A board with the same objects, on which what a second life of a site sends is seen by itself. */
export function sideBoard(board: SharedBoard): SharedBoard {
  const side = new SharedBoard();
  for (const [digest, bytes] of board.objects) side.objects.set(digest, bytes);
  side.digestsOf = board.digestsOf;
  return side;
}
