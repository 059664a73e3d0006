/*
 * Refusals of a site that no attack of the list meets: false sums with all signatures but one in order, and the site's own folder, commands and files gone,
 * damaged or from another time. Each by its code, and nothing is changed.
 */
import { copyFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { holderPoint, peekStatement, type Predicate, resolveQuorum, type Roster, signStatement } from '@coferment/consortium';
import { bytesToHex, type DsseEnvelope, generateIdentity, generateSealingKey, hexToBytes, loadCrypto } from '@coferment/crypto';
import { Instruction, PollResponse } from '@coferment/proto';
import { Command } from 'commander';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { addApprovalCommands } from '../../../client-agent/src/cli/approval.commands.js';
import type { InstructionBody } from '../../../client-agent/src/connection/instruction.parser.js';
import { writeMembership } from '../../../client-agent/src/enrolment/membership.file.js';
import { Journal } from '../../../client-agent/src/journal/journal.js';
import { KeyStore } from '../../../client-agent/src/keys/key.store.js';
import { readPassphrase } from '../../../client-agent/src/keys/passphrase.file.js';
import { checkRosterFor, planParameters } from '../../../client-agent/src/policy/roster.policy.js';
import { predictBatches } from '../../../client-agent/src/predict/batch.prediction.js';
import { checkDealing } from '../../../client-agent/src/rounds/ceremony.handlers.js';
import { encrypt } from '../../../client-agent/src/rounds/contribution.handlers.js';
import { createMember, removeMember } from '../../../client-agent/src/rounds/members.fixture.js';
import { releaseShare } from '../../../client-agent/src/rounds/opening.handlers.js';
import { PollLoop } from '../../../client-agent/src/rounds/poll.loop.js';
import { applySum, closeRun } from '../../../client-agent/src/rounds/publication.handlers.js';
import type { AgentEvent } from '../../../client-agent/src/rounds/site.context.js';
import { attack, AttackedConsortium, closeAll, failureOf, refusedWith, resign } from '../cases/attacked.consortium.fixture.js';

let consortium: AttackedConsortium;
let honest: InstructionBody<'applySum'>;

beforeAll(async () => {
  await loadCrypto();
  consortium = await AttackedConsortium.inTraining();
  const frozen = await consortium.contribute(consortium.update());
  const { state } = consortium;
  honest = await consortium.open(frozen, await consortium.certify([frozen]));
  consortium.state = state;
  consortium.checkpoint();
});
beforeEach(() => consortium.rewind());
afterAll(closeAll);

const predicateOf = (envelope: DsseEnvelope) => peekStatement(envelope).predicate as Predicate<'aggregate'>;

describe('a published sum', () => {
  const refusedBy = async (forged: Partial<InstructionBody<'applySum'>>, code: string) => {
    for (const site of ['a', 'd']) {
      const member = consortium.member(site);
      expect(await attack(consortium.board, member, () => applySum(member, { ...honest, ...forged }))).toEqual(refusedWith(code));
    }
  };
  const aggregate = (change: Partial<Predicate<'aggregate'>>) => ({
    aggregate: resign(honest.aggregate, 'aggregate', change, consortium.operator),
  });

  it('opened by fewer than τ key holders, or by one of them twice, is refused', async () => {
    await refusedBy({ shares: honest.shares.slice(0, 2) }, 'shares-short');
    await refusedBy({ shares: [honest.shares[0]!, ...honest.shares.slice(0, 3)] }, 'shares-short');
  });

  it('whose aggregate is of another sum, kind, T or model is refused', async () => {
    for (const change of [{ sum: 99 }, { kind: 'evaluate' as const }, { t: '1'.repeat(64) }, { modelIn: '2'.repeat(64) }, { round: 2 }])
      await refusedBy(aggregate(change), 'other-aggregate');
  });

  it('whose aggregate names another certificate than the one that came is refused, larger or smaller', async () => {
    const { certificate } = predicateOf(honest.aggregate);
    await refusedBy(aggregate({ certificate: certificate.slice(1) }), 'other-certificate');
    await refusedBy(
      aggregate({ certificate: certificate.with(0, { ...certificate[0]!, attestation: '3'.repeat(64) }) }),
      'other-certificate',
    );
    await refusedBy({ certificate: honest.certificate.slice(1) }, 'other-certificate');
  });

  it('whose aggregate names other shares than those that came is refused', async () => {
    const { shares } = predicateOf(honest.aggregate);
    await refusedBy(aggregate({ shares: shares.slice(1) }), 'other-shares');
    await refusedBy({ shares: honest.shares.slice(1) }, 'other-shares');
  });

  it('with a certificate of fewer than ρ sites, or one of them twice, is refused', async () => {
    await refusedBy({ certificate: honest.certificate.slice(0, 2) }, 'certificate-short');
    await refusedBy({ certificate: [honest.certificate[0]!, ...honest.certificate] }, 'attested-twice');
  });

  it('of a closing that names another run is refused', async () => {
    const closed = {
      consortium: 'acme',
      run: 'r2-0123456789abcdef',
      status: 'completed' as const,
      rounds: 2,
      model: 'none' as const,
      contributions: [],
    };
    const a = consortium.member('a');
    for (const change of [closed, { ...closed, run: consortium.run, consortium: 'other' }]) {
      const closing = signStatement('run-closed', change, consortium.operator);
      expect(await attack(consortium.board, a, () => closeRun(a, { run: consortium.run, closing }))).toEqual(refusedWith('other-closing'));
    }
  });

  it('is applied in order', async () => {
    const { journal } = consortium.member('a');
    const { state } = journal.models.progress(consortium.run);
    expect(await failureOf(() => journal.models.advance(consortium.run, 1, { appliedSum: 9, state }))).toMatchObject({
      code: 'out-of-order',
    });
  });
});

describe('a key epoch', () => {
  it('is agreed on once: another E for it is refused', async () => {
    const a = consortium.member('a');
    expect(await attack(consortium.board, a, async () => a.journal.runs.agreeEpoch(consortium.run, 1, '4'.repeat(64)))).toEqual(
      refusedWith('epoch-changed'),
    );
  });

  it('has no work for a site that holds no key in it', async () => {
    const stranger = { ...consortium.member('a'), site: 'zz' };
    const [dealing] = consortium.board.latest('dealing');
    const { run } = consortium;
    expect(await attack(consortium.board, stranger, () => checkDealing(stranger, { run, epoch: 1, dealing: dealing! }))).toEqual(
      refusedWith('not-a-holder'),
    );
    const opening = { frozen: honest.frozen, certificate: honest.certificate };
    expect(await attack(consortium.board, stranger, () => releaseShare(stranger, opening))).toEqual(refusedWith('not-a-holder'));
  });

  it('has nobody left out in the first roster of a run', async () => {
    const { plan, run } = consortium;
    const ids = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const made = ids.map((site) => ({ site, identity: generateIdentity(), key: bytesToHex(generateSealingKey().publicKey) }));
    const numbers = resolveQuorum(plan, ids.length);
    const roster: Roster = {
      sites: made.map(({ site, identity }) => ({ site, identityKey: bytesToHex(identity.publicKey) })),
      keyHolders: ids.slice(0, numbers.m).map((site, position) => ({ site, point: holderPoint(position) })),
      numbers,
      parameters: planParameters(plan, ids.length),
      leftOut: ['h'],
      sealingKeys: made.slice(0, -1).map(({ site, identity, key }) => {
        const envelope = signStatement('sealing-key', { consortium: 'acme', run, epoch: 1, site, key }, identity);
        return { site, key, envelope };
      }),
    };
    const [a] = made;
    const own = { site: 'a', identityKey: a!.identity.publicKey, sealingKey: hexToBytes(a!.key) };
    const expected = { consortium: 'acme', run, epoch: 1, plan, sites: ids, own, before: undefined, largestSum: 0 };
    expect(await failureOf(() => checkRosterFor(roster, expected))).toMatchObject({ code: 'roster-left-out' });
  });

  it('that has lost its bytes of a share releases nothing in their place', async () => {
    const [a, { frozen, certificate }] = [consortium.member('a'), honest];
    a.objects.remove((peekStatement(honest.shares[0]!).predicate as Predicate<'share'>).object);
    expect(await attack(consortium.board, a, () => releaseShare(a, { frozen, certificate }))).toEqual(refusedWith('epoch-dead'));
  });

  it('that has lost a key share opens nothing', async () => {
    const [a, { frozen, certificate }] = [consortium.member('a'), honest];
    const database = new DatabaseSync(join(a.folder, 'journal.sqlite'));
    database.exec(`DELETE FROM statements WHERE name = 'share' AND subject = '${frozen.name.sum}'`);
    database.close();
    rmSync(join(a.folder, 'keys', 'epochs', consortium.run, '1', 'share', 'b.sealed'));
    expect(await attack(consortium.board, a, () => releaseShare(a, { frozen, certificate }))).toEqual(refusedWith('epoch-dead'));
  });
});

describe('a ciphertext whose bytes are gone', () => {
  it('is never made again: the attempt is declined', async () => {
    const [a, { frozen }] = [consortium.member('a'), honest];
    const { name } = frozen;
    a.objects.remove((peekStatement(frozen.contributions[0]!).predicate as Predicate<'contribution'>).object);
    const before = a.journal.rounds.lastEncrypted(name.run);
    const seen = await attack(consortium.board, a, () => encrypt(a, { name, nonces: frozen.nonces }));
    expect(seen).toMatchObject({ code: 'no refusal', sent: ['attempt-declined'] });
    expect(consortium.acts('attempt-declined').at(-1)?.predicate).toMatchObject({ reason: 'ciphertext-lost', attempt: 1 });
    expect(a.journal.rounds.lastEncrypted(name.run)).toEqual(before);
  });
});

describe("a site's folder", () => {
  const folder = mkdtempSync(join(tmpdir(), 'refusals-'));
  const member = () => createMember('a', consortium.board, consortium.operator.publicKey);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('that is not one is refused', async () => {
    expect(await failureOf(() => KeyStore.open(folder, 'a passphrase'))).toMatchObject({ code: 'not-joined' });
    writeFileSync(join(folder, 'empty'), 'short\n');
    for (const file of ['none', 'empty'])
      expect(await failureOf(() => readPassphrase(join(folder, file)))).toMatchObject({ code: 'missing-passphrase' });
  });

  it('with a damaged key, one under another name, or a journal that is none or from a newer agent is refused', async () => {
    const site = member();
    site.store.write('one', new Uint8Array(3));
    site.store.write('two', new Uint8Array(3));
    const keys = join(site.folder, 'keys');
    copyFileSync(join(keys, 'one.sealed'), join(keys, 'two.sealed'));
    writeFileSync(join(keys, 'one.sealed'), 'x');
    for (const name of ['one', 'two', '../journal'])
      expect(await failureOf(() => site.store.read(name))).toMatchObject({ code: 'store-damaged' });
    site.journal.close();
    const journal = join(site.folder, 'journal.sqlite');
    const database = new DatabaseSync(journal);
    database.exec('PRAGMA user_version = 99');
    database.close();
    expect(await failureOf(() => Journal.open(journal))).toMatchObject({ code: 'journal-version' });
    for (const file of readdirSync(site.folder)) if (file.startsWith('journal')) rmSync(join(site.folder, file));
    writeFileSync(journal, 'x'.repeat(5000));
    expect(await failureOf(() => Journal.open(journal))).toMatchObject({ code: 'journal-damaged' });
    rmSync(site.folder, { recursive: true, force: true });
  });

  it('without a model predicts nothing', async () => {
    const site = member();
    const input = {
      source: { folder: site.folder, run: 'r1-0123456789abcdef' },
      mappingFile: 'm',
      recordsFolder: 'r',
      backend: 'cpu' as const,
    };
    expect(await failureOf(predictBatches(input))).toMatchObject({ code: 'no-model' });
    removeMember(site);
  });
});

describe('an instruction that is malformed or of a kind that is not known', () => {
  it('is refused before any handler, and people are told once', async () => {
    const told: AgentEvent[] = [];
    const stopping = new AbortController();
    const member = { ...consortium.member('b'), tell: (event: AgentEvent) => told.push(event) };
    const unknown = Instruction.fromPartial({ kind: { $case: 'deal', deal: { run: '../../etc', epoch: 0 } } });
    let polls = 0;
    member.port = {
      ...member.port,
      poll: async () => {
        polls += 1;
        if (polls > 3) stopping.abort();
        return PollResponse.fromPartial({ instructions: [unknown, {}], runs: [], owed: 'x' });
      },
    };
    const loop = new PollLoop(member, { waitMs: 0, renew: () => Promise.resolve(), explain: () => Promise.resolve() });
    await loop.run(stopping.signal);
    const refusals = told.flatMap((event) => (event.event === 'refused' ? [event.code] : []));
    expect(refusals).toEqual(['malformed-instruction', 'malformed-instruction']);
  });
});

describe('a fingerprint that is none', () => {
  it('approves nothing', async () => {
    const site = createMember('a', consortium.board, consortium.operator.publicKey);
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const errors = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    writeMembership(site.folder, {
      schema: 1,
      consortium: 'acme',
      site: site.site,
      identityKey: 'b'.repeat(64),
      coordinator: 'localhost:1',
      serverName: 'localhost',
      caCertificate: '',
      operatorKey: 'c'.repeat(64),
      logVkey: '',
      origin: '',
      certificateExpiresAt: new Date().toISOString(),
    });
    const program = new Command().exitOverride();
    addApprovalCommands(program);
    await program.parseAsync(['roster', 'approve', 'beef', '--data', site.folder, '--json'], { from: 'user' });
    const said = write.mock.calls.map(([text]) => String(text)).join('');
    write.mockRestore();
    errors.mockRestore();
    process.exitCode = 0;
    expect(said).toContain('fingerprint-malformed');
    expect(site.journal.approvals.lastRoster()).toBeUndefined();
    removeMember(site);
  });
});
