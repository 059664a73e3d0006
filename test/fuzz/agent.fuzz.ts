/*
 * Messages of a coordinator that sends anything: honest instructions with fields, lists, signed acts and bytes changed, also signed again by a corrupt member.
 * Whatever comes, a site answers in time; where it refuses, it says why with a code of its own, and everything durable is as before.
 */
import { type DsseEnvelope, generateIdentity, loadCrypto } from '@coferment/crypto';
import { planDigest, rosterBytes, rosterDigest, signStatement } from '@coferment/consortium';
import { Instruction } from '@coferment/proto';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toWire } from '../../client-agent/src/connection/envelope.codec.js';
import { type InstructionKind, parseInstruction } from '../../client-agent/src/connection/instruction.parser.js';
import { carryOut } from '../../client-agent/src/rounds/instruction.router.js';
import { CONSORTIUM } from '../../client-agent/src/rounds/members.fixture.js';
import { attack, AttackedConsortium, closeAll } from '../attacks/cases/attacked.consortium.fixture.js';
import { Dice, mutate, mutateEncoding } from './wire.mutation.fixture.js';

const SITES = ['a', 'b', 'c', 'd'];
const CASES_EACH = 500;
/** Another one is another 10,000 cases: FUZZ_SEED=7 npx vitest run --project fuzz */
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
/** Longer than any of these takes on a loaded machine by three orders of magnitude. */
const HANG_MS = 120_000;

interface Target {
  consortium: AttackedConsortium;
  kind: InstructionKind;
  body: object;
  /** Carry the honest instruction out first: no change of it may then change anything. */
  repeated?: true;
}

const targets = new Map<string, () => Target>();
const target = (name: string, of: () => Target) => targets.set(name, of);

const NAMES = [
  'approvePlan',
  'offerSealingKey',
  'approveRoster',
  'deal',
  'checkDealing',
  'agreeEpoch',
  'prepareSum',
  'encrypt',
  'attest',
  'releaseShare',
  'applySum',
  'closeRun',
  'deal again',
  'checkDealing again',
  'agreeEpoch again',
  'encrypt again',
  'attest again',
  'releaseShare again',
  'applySum again',
] as const;

beforeAll(async () => {
  await loadCrypto();
  const approving = await AttackedConsortium.beforeConfirming(SITES);
  const next = await approving.approvedRun(2);
  const plan = planDigest(approving.plan);
  const roster = { ...approving.roster, sealingKeys: approving.roster.sealingKeys.map(({ site }) => next(site)) };
  approving.board.objects.set(rosterDigest(roster), rosterBytes(roster));
  const { run: second } = approving;
  target('approvePlan', () => ({ consortium: approving, kind: 'approvePlan', body: { run: second, ordinal: 2, plan, sites: SITES } }));
  target('offerSealingKey', () => ({ consortium: approving, kind: 'offerSealingKey', body: { run: second, ordinal: 2, plan, epoch: 1 } }));
  target('approveRoster', () => ({
    consortium: approving,
    kind: 'approveRoster',
    body: { run: second, epoch: 1, roster: rosterDigest(roster) },
  }));

  const dealt = await AttackedConsortium.beforeAgreeing(SITES, false);
  const checked = await AttackedConsortium.beforeAgreeing(SITES);
  const inEpoch = { run: dealt.run, epoch: 1 };
  const check = { consortium: dealt, kind: 'checkDealing' as const, body: { ...inEpoch, dealing: dealt.board.latest('dealing')[1]! } };
  const agree = {
    consortium: checked,
    kind: 'agreeEpoch' as const,
    body: { ...inEpoch, dealings: checked.board.latest('dealing'), acknowledgements: checked.board.all('dealing-ack') },
  };
  const agreed = await AttackedConsortium.beforeConfirming(SITES);
  const acts = { dealings: agreed.board.latest('dealing'), acknowledgements: agreed.board.all('dealing-ack') };
  target('deal', () => ({ consortium: dealt, kind: 'deal', body: inEpoch }));
  target('deal again', () => ({ consortium: agreed, kind: 'deal', body: { run: agreed.run, epoch: 1 }, repeated: true }));
  target('checkDealing', () => check);
  target('checkDealing again', () => ({
    ...check,
    consortium: checked,
    body: { ...inEpoch, dealing: checked.board.latest('dealing')[1]! },
    repeated: true,
  }));
  target('agreeEpoch', () => agree);
  target('agreeEpoch again', () => ({ ...agree, consortium: agreed, body: { ...inEpoch, ...acts }, repeated: true }));

  const training = await AttackedConsortium.inTraining(SITES);
  target('prepareSum', () => ({ consortium: training, kind: 'prepareSum', body: { name: training.update() } }));
  const uploading = await AttackedConsortium.inTraining(SITES);
  const frozen = await uploading.contribute(uploading.update());
  const { name, nonces } = frozen;
  target('encrypt again', () => ({ consortium: uploading, kind: 'encrypt', body: { name, nonces }, repeated: true }));
  const certificate = ['b', 'c', 'd'].map((site) => uploading.corruptAttestation(site, frozen));
  target('attest', () => ({ consortium: uploading, kind: 'attest', body: { sums: [frozen] } }));
  target('releaseShare', () => ({ consortium: uploading, kind: 'releaseShare', body: { frozen, certificate } }));
  // The nonce lives in memory, so a site that has one is never put back: the others wait for it with theirs.
  const listed = await AttackedConsortium.inTraining(SITES);
  const asked = listed.update();
  for (const site of listed.without('a'))
    await carryOut(listed.member(site), { kind: 'prepareSum', id: '', run: listed.run, body: { name: asked } });
  target('encrypt', () => ({ consortium: listed, kind: 'encrypt', body: { name: asked, nonces: listed.noncesOf(asked) } }));

  const opened = await AttackedConsortium.inTraining(SITES);
  const sum = await opened.contribute(opened.update());
  const instruction = await opened.open(sum, await opened.certify([sum]));
  target('attest again', () => ({ consortium: opened, kind: 'attest', body: { sums: [sum] }, repeated: true }));
  target('releaseShare again', () => ({
    consortium: opened,
    kind: 'releaseShare',
    body: { frozen: sum, certificate: instruction.certificate },
    repeated: true,
  }));
  target('applySum', () => ({ consortium: opened, kind: 'applySum', body: instruction }));
  const applied = await AttackedConsortium.inTraining(SITES);
  const last = await applied.contribute(applied.update());
  const published = await applied.open(last, await applied.certify([last]));
  await applied.publish(published);
  target('applySum again', () => ({ consortium: applied, kind: 'applySum', body: published, repeated: true }));
  const ended = { consortium: CONSORTIUM, run: applied.run, status: 'completed', rounds: 2, model: 'none', contributions: [] } as const;
  const closing = signStatement('run-closed', { ...ended, contributions: [] }, applied.operator);
  target('closeRun', () => ({ consortium: applied, kind: 'closeRun', body: { run: applied.run, closing } }));
  for (const of of targets.values()) of().consortium.checkpoint();
});
afterAll(closeAll);

const isSigned = (value: object): value is DsseEnvelope => 'payloadType' in value && 'signatures' in value;

function onTheWire(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(onTheWire);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (isSigned(value)) return toWire(value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, onTheWire(inner)]));
}

/** The bytes of an instruction. @throws when no such message can be encoded */
function encoded(kind: string, body: unknown): Uint8Array {
  return Instruction.encode(Instruction.fromPartial({ kind: { $case: kind, [kind]: body } as never })).finish();
}

function decoded(bytes: Uint8Array): ReturnType<typeof parseInstruction> | undefined {
  try {
    return parseInstruction(Instruction.decode(bytes));
  } catch {
    // gRPC itself answers bytes that are no message of this type.
    return undefined;
  }
}

const inTime = async <T>(work: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error(`no answer within ${HANG_MS} ms`)), HANG_MS)));
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
};

/** A refusal by our own rules has a code in lower case; a failure of the machine below (TypeError, ERR_…) is a crash. */
const REFUSAL = /^(?!no code$)[a-z][a-z0-9-]*$/;

describe('a site that is told anything', () => {
  it('has a target for every kind of instruction', () => {
    expect([...targets.keys()].toSorted()).toEqual([...NAMES].toSorted());
    expect(CASES_EACH * NAMES.length).toBeGreaterThanOrEqual(9_000);
  });

  it.each(NAMES)('stays as it was when it refuses: %s', async (named) => {
    const { consortium, kind, body, repeated } = targets.get(named)!();
    const wire = onTheWire(body) as object;
    const honest = parseInstruction(Instruction.decode(encoded(kind, wire)));
    expect(honest.kind).toBe(kind);
    consortium.rewind();
    const signers = [generateIdentity(), consortium.member('b').identity, consortium.member('c').identity, consortium.operator];
    const seen = { unreadable: 0, malformed: 0, unchanged: 0, refused: 0, accepted: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 24, maxLength: 24 }), async (numbers) => {
        const dice = new Dice(numbers);
        let bytes: Uint8Array;
        try {
          bytes = mutateEncoding(encoded(kind, mutate(wire, dice, signers)), dice);
        } catch {
          seen.unreadable++;
          return;
        }
        const instruction = decoded(bytes);
        if (instruction === undefined) seen.unreadable++;
        else if (instruction.kind === 'malformed') seen.malformed++;
        else if (instruction.id === honest.id) seen.unchanged++;
        else {
          const { code, changed, sent } = await inTime(
            attack(consortium.board, consortium.member('a'), () => carryOut(consortium.member('a'), instruction)),
          );
          // Public objects are kept under the digest of their bytes, wanted or not.
          const state = changed.filter((what) => !what.startsWith('objects/'));
          if (code === 'no refusal') {
            seen.accepted++;
            // For an attempt that it has no nonce for, a site signs that it has none.
            if (repeated && !sent.includes('attempt-declined')) expect(state).toEqual([]);
            if (state.length > 0) consortium.rewind();
            return;
          }
          seen.refused++;
          expect(code).toMatch(REFUSAL);
          expect({ code, state, sent }).toEqual({ code, state: [], sent: [] });
        }
      }),
      { numRuns: CASES_EACH, seed: SEED },
    );
    expect(Object.values(seen).reduce((sum, count) => sum + count, 0)).toBe(CASES_EACH);
    expect(seen.refused + seen.malformed + seen.accepted).toBeGreaterThan(0);
    consortium.rewind();
  });
});
