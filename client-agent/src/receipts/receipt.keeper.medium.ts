import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { bytesToHex, generateIdentity, loadCrypto, sha256Hex } from '@coferment/crypto';
import { parseCheckpoint, parseNote, parsePolicy, parseTlogProof } from '@coferment/ledger';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { verifyJournal } from '../journal/journal.verification.js';
import { CONSORTIUM, type Member, removeMember, reopenMember, SharedBoard } from '../rounds/members.fixture.js';
import { ReceiptKeeper } from './receipt.keeper.js';
import { RECEIPT_LOG_VKEY, ReceiptLog, RUN, SUM } from './receipt.log.fixture.js';

let log: ReceiptLog;
let a: Member;

/** A counted contribution of site a, in a consortium that asks for two witnesses. */
function count(change?: ConstructorParameters<typeof ReceiptLog>[1], quorum: ConstructorParameters<typeof ReceiptLog>[0] = 2): void {
  log = new ReceiptLog(quorum, change);
  a = log.site;
}

beforeAll(loadCrypto);
beforeEach(() => count());
afterEach(() => removeMember(a));

const keeperOf = (member: Member) => new ReceiptKeeper({ ...member, port: log.port() }, RECEIPT_LOG_VKEY);
const enrolmentOf = (site: string) => ({
  consortium: CONSORTIUM,
  site,
  identityKey: bytesToHex(generateIdentity().publicKey),
  certificate: 'c'.repeat(64),
});
const receiptOf = (member: Member) => member.journal.receipts.find(RUN, SUM)!;
const holding = () => verifyJournal(a.folder, { site: a.site, identityKey: bytesToHex(a.identity.publicKey) }).report;

describe('the receipt of a counted contribution', () => {
  it('is owed, and waits for as many witnesses as the charter asks for', async () => {
    expect(receiptOf(a)).toMatchObject({ kind: 'update', round: 1, attempt: 1, stored: undefined, needed: undefined });
    log.cosigning = ['b'];
    expect(await keeperOf(a).fetchOwed()).toBe(0);
    expect(receiptOf(a)).toMatchObject({ stored: undefined, needed: 2 });
    log.cosigning = ['b', 'c'];
    expect(await keeperOf(a).fetchOwed()).toBe(1);
    const { stored } = receiptOf(a);
    expect(stored!.policy).toContain('group witnesses 2 w1 w2 w3');
    expect(JSON.parse(stored!.freeze)).toMatchObject({ predicate: { sum: SUM, counted: [{ site: 'a' }, { site: 'b' }, { site: 'c' }] } });
    expect(a.events).toContainEqual({ event: 'receipt', run: RUN, sum: SUM, witnesses: 2 });
    expect(holding()).toMatchObject({ verdict: 'holds', findings: [] });
  });

  it('is asked for again after a restart, also when the line was cut', async () => {
    log.cosigning = ['a', 'b', 'c'];
    log.unreachable = true;
    expect(await keeperOf(a).fetchOwed()).toBe(0);
    a = reopenMember(a, new SharedBoard());
    expect(receiptOf(a).stored).toBeUndefined();
    log.unreachable = false;
    expect(await keeperOf(a).fetchOwed()).toBe(1);
    a = reopenMember(a, new SharedBoard());
    expect(receiptOf(a).stored).toBeDefined();
    expect(a.events.filter(({ event }) => event === 'refused')).toEqual([]);
  });

  it('does not wait behind any number of receipts that never come', async () => {
    log.cosigning = ['a', 'b', 'c'];
    const raw = new DatabaseSync(join(a.folder, 'journal.sqlite'));
    raw.exec('UPDATE receipts SET owed_ms = owed_ms + 60000');
    raw.close();
    for (let sum = 100; sum < 140; sum++)
      a.journal.receipts.owe({ contribution: sum.toString(16).padStart(64, '0'), run: RUN, sum, kind: 'update', round: 9, attempt: 1 });
    const keeper = keeperOf(a);
    expect(await keeper.fetchOwed()).toBe(0);
    expect(await keeper.fetchOwed()).toBe(1);
  });

  it('that the coordinator does not have yet is no lie of it', async () => {
    log.entries.length = 3;
    expect(await keeperOf(a).fetchOwed()).toBe(0);
    expect(a.journal.activity.refusals(9)).toEqual([]);
  });

  it('comes by itself while the agent serves, and the loop ends with it', async () => {
    log.cosigning = ['a', 'b', 'c'];
    const stop = new AbortController();
    const running = keeperOf(a).run(stop.signal);
    await vi.waitFor(() => expect(receiptOf(a).stored).toBeDefined(), { timeout: 5000 });
    stop.abort();
    await running;
  });

  it('is judged by who was a witness at its checkpoint: those who have cosigned it and left since still count', async () => {
    log.cosigning = ['b', 'c'];
    log.witnessedSize = log.entries.length;
    for (const [site, identity] of log.others) log.append('site-left', { consortium: CONSORTIUM, site, reason: 'done' }, identity);
    expect(await keeperOf(a).fetchOwed()).toBe(1);
    expect(receiptOf(a).stored!.policy).toContain('group witnesses 2 w1 w2 w3');
    expect(parsePolicy(receiptOf(a).stored!.policy).witnesses).toHaveLength(3);
  });

  it('is judged by the majority at its checkpoint, however many have been enrolled since', async () => {
    removeMember(a);
    count(undefined, 'majority');
    log.cosigning = ['b', 'c'];
    log.witnessedSize = log.entries.length;
    for (const site of ['d', 'e', 'f']) log.append('site-enrolled', enrolmentOf(site), log.operator);
    expect(await keeperOf(a).fetchOwed()).toBe(1);
    // A checkpoint over the enrolments needs more.
    removeMember(a);
    count(undefined, 'majority');
    for (const site of ['d', 'e', 'f']) log.append('site-enrolled', enrolmentOf(site), log.operator);
    log.cosigning = ['b', 'c'];
    expect(await keeperOf(a).fetchOwed()).toBe(0);
    expect(receiptOf(a).needed).toBe(4);
  });

  it('has both proofs under one checkpoint, whenever the log goes on between the two questions', async () => {
    log.cosigning = ['b', 'c'];
    const port = log.port();
    let asked = 0;
    const receipt: typeof port.receipt = (digest) => {
      asked += 1;
      if (asked === 2) log.append('site-enrolled', enrolmentOf('d'), log.operator);
      return port.receipt(digest);
    };
    expect(await new ReceiptKeeper({ ...a, port: { ...port, receipt } }, RECEIPT_LOG_VKEY).fetchOwed()).toBe(1);
    const { contributionProof, freezeProof } = receiptOf(a).stored!;
    const sizes = [contributionProof, freezeProof].map((proof) => parseCheckpoint(parseNote(parseTlogProof(proof).checkpoint).text).size);
    expect(sizes).toEqual([BigInt(log.entries.length), BigInt(log.entries.length)]);
  });

  it('is found in the ledger of a coordinator that was restored: what its old one said is dropped', async () => {
    log.cosigning = ['b'];
    const keeper = keeperOf(a);
    expect(await keeper.fetchOwed()).toBe(0);
    // The freeze stands elsewhere now, and one of the witnesses has not come back.
    const frozen = log.entries.pop()!;
    log.append('site-left', { consortium: CONSORTIUM, site: 'c', reason: 'done' }, log.others.get('c')!);
    log.entries.push({ ...frozen, index: log.entries.length });
    log.cosigning = ['a', 'b'];
    expect(await keeper.fetchOwed()).toBe(1);
    expect(receiptOf(a).stored!.policy).toContain('group witnesses 2 w1 w2\n');
  });

  it('is asked for again when the journal could not be read for a moment', async () => {
    log.cosigning = ['a', 'b', 'c'];
    const owed = vi.spyOn(a.journal.receipts, 'owed').mockImplementationOnce(() => {
      throw new Error('database is locked');
    });
    const stop = new AbortController();
    const running = keeperOf(a).run(stop.signal);
    await vi.waitFor(() => expect(receiptOf(a).stored).toBeDefined(), { timeout: 8000 });
    stop.abort();
    await running;
    expect(owed.mock.calls.length).toBeGreaterThan(1);
  });

  it('cannot be taken back or stored in another form', () => {
    const parts = { contributionProof: '1', freezeProof: '2', freeze: '3', policy: '4' };
    a.journal.receipts.store(receiptOf(a), parts);
    a.journal.receipts.store(receiptOf(a), { ...parts, policy: '5' });
    a.journal.receipts.noteWaiting(receiptOf(a), 3);
    expect(receiptOf(a)).toMatchObject({ stored: { policy: '4' }, needed: undefined });
    expect(holding()).toMatchObject({ verdict: 'holds', findings: [] });
  });
});

describe('a receipt that does not verify', () => {
  const otherHash = new Uint8Array(32).fill(1);

  it.each<[string, ReceiptLog['lie'], RegExp]>([
    [
      'has another path',
      (proof) => ({ ...proof, inclusionProof: [otherHash, ...proof.inclusionProof.slice(1)] }),
      /does not put this entry/,
    ],
    ['has a changed checkpoint', (proof) => ({ ...proof, checkpoint: proof.checkpoint.replace(/\n\d+\n/, '\n999\n') }), /does not verify/],
    ['is of another entry', (proof) => ({ ...proof, entry: log.entries[0]!.entry }), /does not put this entry/],
    ['is of another index', (proof) => ({ ...proof, index: proof.index - 1 }), /does not put this entry/],
    ['has no index', (proof) => ({ ...proof, index: -1 }), /index/],
    [
      'is signed by nobody known',
      (proof) => ({ ...proof, checkpoint: proof.checkpoint.replaceAll('ledger.example', 'other.example') }),
      /known/,
    ],
  ])('because it %s is refused, told and asked for again', async (_, lie, message) => {
    log.cosigning = ['a', 'b', 'c'];
    log.lie = lie;
    expect(await keeperOf(a).fetchOwed()).toBe(0);
    expect(receiptOf(a).stored).toBeUndefined();
    const refused = a.journal.activity.refusals(9).filter(({ subject }) => subject === `receipt of sum ${SUM}`);
    expect(refused).toMatchObject([{ code: 'receipt-refused', message: expect.stringMatching(message) as string }]);
    await keeperOf(a).fetchOwed();
    expect(a.events.filter((event) => event.event === 'refused' && event.message.includes(`sum ${SUM} `))).toHaveLength(1);
    log.lie = (proof) => proof;
    expect(await keeperOf(a).fetchOwed()).toBe(1);
    expect(holding()).toMatchObject({ verdict: 'holds', findings: [] });
  });

  it('because the freeze counts another upload, or not this site, is refused', async () => {
    for (const [counted, message] of [
      [[{ site: 'a', merkleRoot: 'ab'.repeat(32) }], /counts another upload of site "a"/],
      [[{ site: 'b', merkleRoot: 'ab'.repeat(32) }], /does not name site "a"/],
    ] as const) {
      removeMember(a);
      count((signed) => ({ ...signed, counted: [...counted] }));
      log.cosigning = ['a', 'b', 'c'];
      expect(await keeperOf(a).fetchOwed()).toBe(0);
      expect(a.journal.activity.refusals(9)).toContainEqual(expect.objectContaining({ message: expect.stringMatching(message) as string }));
    }
  });

  it('counts no witness that the ledger does not know, and no site twice', async () => {
    log.cosigning = ['b', 'nobody'];
    expect(await keeperOf(a).fetchOwed()).toBe(0);
    expect(receiptOf(a).needed).toBe(2);
    log.cosigning = ['b', 'b'];
    expect(await keeperOf(a).fetchOwed()).toBe(0);
    // A witness key that another site signed is none.
    log.append('witness-key', { consortium: 'acme', site: 'b', key: '12'.repeat(32) }, log.others.get('c')!);
    log.cosigning = ['a', 'b'];
    expect(await keeperOf(a).fetchOwed()).toBe(1);
  });

  it('because a stranger signed the freeze is not found at all', async () => {
    log.cosigning = ['a', 'b', 'c'];
    const index = log.entries.findIndex(({ payload }) => sha256Hex(payload) === log.freeze);
    const { predicate } = JSON.parse(Buffer.from(log.entries[index]!.payload).toString()) as { predicate: never };
    log.entries.splice(index, 1);
    log.append('round-frozen', predicate, log.others.get('b')!);
    expect(await keeperOf(a).fetchOwed()).toBe(0);
    expect([receiptOf(a).stored, receiptOf(a).needed]).toEqual([undefined, undefined]);
  });
});
