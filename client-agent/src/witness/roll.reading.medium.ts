import { type Predicate, type PredicateName, signStatement } from '@coferment/consortium';
import { bytesToHex, generateIdentity, type Identity, loadCrypto, sha256Hex } from '@coferment/crypto';
import { encodeVkey, entryFor, leafHash, MerkleFrontier, MerkleTree, parsePolicy, publicKeyFromSeed } from '@coferment/ledger';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoggedEntry } from '../connection/coordinator.port.js';
import { createMember, type Member, removeMember, SharedBoard } from '../rounds/members.fixture.js';
import { recallOwnActs } from '../rounds/own.acts.js';
import { LOG_KEY, ORIGIN } from './forking.coordinator.fixture.js';
import { rollOf } from './roll.reading.js';
import { announceWitnessKey, witnessSigner } from './witness.key.js';

const operator = generateIdentity();
const consortium = 'acme';
const D = (digit: string) => digit.repeat(64);
const made: Member[] = [];
let sites: Record<'a' | 'b' | 'c', Identity>;

beforeAll(async () => {
  await loadCrypto();
  sites = { a: generateIdentity(), b: generateIdentity(), c: generateIdentity() };
});
afterAll(() => made.forEach(removeMember));

/** The ledger of a board as any coordinator could fill it. */
function log<N extends PredicateName>(board: SharedBoard, name: N, predicate: Predicate<N>, signer: Identity): LoggedEntry {
  const envelope = signStatement(name, predicate, signer);
  const logged = {
    index: board.ledger.length,
    entry: entryFor(envelope, signer.publicKey),
    payload: Buffer.from(envelope.payload, 'base64'),
  };
  board.ledger.push(logged);
  return logged;
}

async function readBy(board: SharedBoard): Promise<Member> {
  const member = createMember('a', board, operator.publicKey);
  made.push(member);
  await recallOwnActs(member);
  return member;
}

function founded(quorum: number | 'majority' = 2): SharedBoard {
  const board = new SharedBoard();
  log(board, 'charter', { consortium, ledgerReaders: 'members', siteNames: 'plain', witnessQuorum: quorum, witnesses: [] }, operator);
  for (const [site, identity] of Object.entries(sites))
    log(board, 'site-enrolled', { consortium, site, identityKey: bytesToHex(identity.publicKey), certificate: D('1') }, operator);
  return board;
}

const keyOf = (identity: Identity, site: string) => bytesToHex(publicKeyFromSeed(witnessSigner(identity, ORIGIN, site).seed));
const namesOf = ({ journal }: Member) => rollOf(journal.roll, ORIGIN).keys.map(({ name }) => name);

describe('who may cosign', () => {
  it('is read from the ledger, stays over a restart, and makes a policy that parses', async () => {
    const board = founded();
    for (const site of ['a', 'b', 'c'] as const)
      log(board, 'witness-key', { consortium, site, key: keyOf(sites[site], site) }, sites[site]);
    log(board, 'site-left', { consortium, site: 'c', reason: 'done' }, sites.c);
    const member = await readBy(board);
    expect(namesOf(member)).toEqual([`${ORIGIN}/a`, `${ORIGIN}/b`]);
    const policy = parsePolicy(rollOf(member.journal.roll, ORIGIN).policyText(encodeVkey(LOG_KEY)));
    expect(policy.witnesses).toHaveLength(2);
    const rows = member.journal.roll.all();
    expect(rows.map(({ name }) => name)).toEqual([
      'charter',
      ...Array<string>(3).fill('site-enrolled'),
      ...Array<string>(3).fill('witness-key'),
      'site-left',
    ]);
    await recallOwnActs(member);
    expect(member.journal.roll.all()).toEqual(rows);
  });

  it('is not what anybody else says', async () => {
    const board = founded();
    const [stranger, key] = [generateIdentity(), D('7')];
    log(board, 'witness-key', { consortium, site: 'b', key }, stranger);
    log(board, 'witness-key', { consortium, site: 'b', key }, sites.c);
    log(board, 'witness-key', { consortium, site: 'b', key }, operator);
    log(board, 'witness-key', { consortium: 'elsewhere', site: 'b', key }, sites.b);
    log(board, 'witness-key', { consortium, site: 'nobody', key }, stranger);
    log(board, 'charter', { consortium, ledgerReaders: 'anyone', siteNames: 'plain', witnessQuorum: 0, witnesses: [] }, sites.b);
    log(board, 'site-revoked', { consortium, site: 'b', reason: 'r' }, sites.c);
    log(board, 'site-enrolled', { consortium, site: 'b', identityKey: bytesToHex(stranger.publicKey), certificate: D('1') }, stranger);
    // A payload that nobody has signed, beside an entry that somebody has.
    const changed = log(board, 'witness-key', { consortium, site: 'b', key }, sites.b);
    changed.payload = Buffer.from(Buffer.from(changed.payload).toString().replace(key, D('8')));
    board.ledger.push({ index: board.ledger.length, entry: Buffer.from('{}'), payload: Buffer.from('":witness-key:v1"') });
    const member = await readBy(board);
    expect(namesOf(member)).toEqual([]);
    expect(rollOf(member.journal.roll, ORIGIN).quorum).toBe(2);
    expect(member.journal.roll.all()).toHaveLength(4);
  });

  it('is read by an agent whose journal is older than this reading: the ledger is read from its beginning', async () => {
    const board = founded();
    const member = createMember('a', board, operator.publicKey);
    made.push(member);
    member.journal.ownActs.moveTo({ entries: board.ledger.length, lastEntry: sha256Hex(board.ledger.at(-1)!.entry) });
    expect(member.journal.ownActs.position().subtrees).toBeUndefined();
    await recallOwnActs(member);
    expect(member.journal.roll.all()).toHaveLength(4);
    const tree = new MerkleTree(board.ledger.map(({ entry }) => leafHash(entry)));
    const { entries, subtrees } = member.journal.ownActs.position();
    expect(MerkleFrontier.resume(BigInt(entries), subtrees!).root()).toEqual(tree.root());
  });

  it('is read anew with the ledger, when another entry stands where reading stopped', async () => {
    const board = founded();
    log(board, 'witness-key', { consortium, site: 'b', key: D('7') }, sites.b);
    const member = await readBy(board);
    board.ledger.splice(3);
    log(board, 'witness-key', { consortium, site: 'b', key: D('8') }, sites.b);
    await recallOwnActs(member);
    expect(namesOf(member)).toEqual([`${ORIGIN}/b`]);
    expect(member.journal.roll.all()).toHaveLength(4);
    expect(bytesToHex(rollOf(member.journal.roll, ORIGIN).keys[0]!.publicKey)).toBe(D('8'));
  });
});

describe('a site whose witness key stands in the ledger', () => {
  it('does not send it again, and is not taken for restored because its journal has forgotten it', async () => {
    const board = founded();
    const member = createMember('a', board, operator.publicKey);
    made.push(member);
    const key = keyOf(member.identity, 'a');
    log(
      board,
      'site-enrolled',
      { consortium, site: 'a', identityKey: bytesToHex(member.identity.publicKey), certificate: D('1') },
      operator,
    );
    log(board, 'witness-key', { consortium, site: 'a', key }, member.identity);
    await recallOwnActs(member);
    expect(member.journal.ownActs.deadEpochs()).toEqual([]);
    expect(member.journal.runs.all()).toEqual([]);
    expect(member.events).toEqual([]);
    await announceWitnessKey({ ...member, log: LOG_KEY });
    expect(board.acts).toEqual([]);
    // Enrolled anew, it is another member: the key of before does not count.
    log(
      board,
      'site-enrolled',
      { consortium, site: 'a', identityKey: bytesToHex(member.identity.publicKey), certificate: D('2') },
      operator,
    );
    await recallOwnActs(member);
    await announceWitnessKey({ ...member, log: LOG_KEY });
    expect(board.acts).toHaveLength(1);
    expect(board.acts[0]!.envelope.payload).toBe(Buffer.from(board.ledger.at(-2)!.payload).toString('base64'));
  });
});
