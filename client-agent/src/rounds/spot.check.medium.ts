import {
  applySum as applyUpdate,
  describeModel,
  modelDigest,
  peekStatement,
  type Predicate,
  signStatement,
  vectorShape,
} from '@coferment/consortium';
import { type DsseEnvelope, loadCrypto, packVector, sha256Hex, unpackSum } from '@coferment/crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { InstructionBody } from '../connection/instruction.parser.js';
import type { ScriptedConsortium } from './consortium.fixture.js';
import { prepareSum } from './contribution.handlers.js';
import type { Member } from './members.fixture.js';
import { inTraining } from './opened.consortia.fixture.js';
import { attest, releaseShare } from './opening.handlers.js';
import { applySum } from './publication.handlers.js';

const SUM = 5;
let consortium: ScriptedConsortium;
/** The published training sum, honest. */
let honest: InstructionBody<'applySum'>;
let a: Member;

beforeAll(loadCrypto);
beforeEach(async () => {
  consortium = await inTraining();
  const frozen = await consortium.contribute(consortium.name('update', SUM, 1));
  honest = await consortium.open(frozen, await consortium.certify([frozen]));
  a = consortium.member('a');
});

const failure = async (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => new Error('no error'),
    (error: Error) => error,
  );
const predicateOf = <N extends 'aggregate' | 'contribution' | 'share'>(envelope: DsseEnvelope) =>
  peekStatement(envelope).predicate as Predicate<N>;
const uploadOf = (index: number): string => predicateOf<'contribution'>(honest.frozen.contributions[index]!).object;
const shareOf = (index: number): string => predicateOf<'share'>(honest.shares[index]!).object;

/** Another sum with all signatures in order, and the model that follows from it. */
function publishedInstead(coefficients: BigUint64Array): InstructionBody<'applySum'> {
  const { plan, roster, operator, board } = consortium;
  const { parameters } = roster;
  const addends = honest.frozen.contributions.length;
  const { packed, exact } = unpackSum(vectorShape(plan, 'update'), parameters, coefficients, addends);
  const { state } = a.journal.models.progress(consortium.run);
  const after = applyUpdate(plan, state!, { packed, exact, addends, valueBits: parameters.valueBits });
  const bytes = new Uint8Array(coefficients.buffer);
  const sumObject = sha256Hex(bytes);
  board.objects.set(sumObject, bytes);
  const modelOut = modelDigest(describeModel(plan), after.model);
  return {
    ...honest,
    aggregate: signStatement('aggregate', { ...predicateOf<'aggregate'>(honest.aggregate), sumObject, modelOut }, operator),
  };
}

/** Everybody's update nothing, and one value one step more: the least that makes a new model. */
function zeroPlusOneStep(): BigUint64Array {
  const { parameters } = consortium.roster;
  const shape = vectorShape(consortium.plan, 'update');
  const zero = 2 ** (parameters.valueBits - 1);
  const one = (value: number) => packVector(shape, parameters, new Uint32Array(shape.packed).fill(value), [8n, 5n, 100n, 7n]);
  const sum = one(zero).map((coefficient) => 3n * coefficient);
  sum[0]! += 1n;
  return sum;
}

/** Nothing of the sum is there, and nothing more is done in the run. */
async function expectDead(reason: RegExp): Promise<void> {
  const { journal } = a;
  expect(journal.models.progress(consortium.run).appliedSum).toBe(SUM - 1);
  expect(journal.steps.find(consortium.run, SUM)?.state).not.toBe('applied');
  expect(a.events.some((event) => event.event === 'applied' && event.sum === SUM)).toBe(false);
  expect(journal.runs.get(consortium.run)).toMatchObject({ state: 'dead', detail: expect.stringMatching(reason) });
  expect(journal.runs.get(consortium.run)?.detail).toMatch(/tell the other sites, and have the ledger .* audited/);
  const { frozen, certificate } = honest;
  for (const instruction of [
    applySum(a, honest),
    prepareSum(a, { name: consortium.name('update', SUM + 1, 2) }),
    attest(a, { sums: [frozen] }),
    releaseShare(a, { frozen, certificate }),
  ]) {
    expect(await failure(instruction)).toMatchObject({ code: 'epoch-dead' });
  }
}

describe('an honest sum', () => {
  it('is applied after its blocks were opened again', async () => {
    consortium.board.parts.length = 0;
    await consortium.publish(honest);
    const fetched = consortium.board.parts.filter(({ site }) => site === 'b').map(({ digest, offset }) => `${digest}@${offset}`);
    expect(fetched.toSorted()).toEqual([0, 1, 2].flatMap((index) => [`${uploadOf(index)}@0`, `${shareOf(index)}@0`]).toSorted());
    for (const { journal } of consortium.members) expect(journal.models.progress(consortium.run).appliedSum).toBe(SUM);
  });

  it('is applied later when the line is cut, with the same draw', async () => {
    consortium.board.failing = true;
    expect(await failure(applySum(a, honest))).toMatchObject({ code: 'unreachable' });
    expect(a.journal.runs.get(consortium.run)?.state).toBe('approved');
    const { digest } = peekStatement(honest.aggregate);
    const drawn = a.journal.checks.drawOnce(consortium.run, SUM, digest, () => {
      throw new Error('drawn again');
    });
    expect(drawn).toEqual([0]);
    consortium.board.failing = false;
    await applySum(consortium.restart('a'), honest);
    expect(consortium.member('a').journal.models.progress(consortium.run).appliedSum).toBe(SUM);
  });
});

describe('a false sum', () => {
  it('of zero plus one step is refused: no sum over fewer sites follows from the model it would give', async () => {
    expect(await failure(applySum(a, publishedInstead(zeroPlusOneStep())))).toMatchObject({
      code: 'sum-unverified',
      message: expect.stringMatching(
        /spot check of sum 5 \(update\) failed in block 0: coefficient 0 was published as \d+; .* open to \d+/,
      ),
    });
    await expectDead(/block 0/);
  });

  it('one step off in one coefficient is refused', async () => {
    const bytes = consortium.board.objects.get(predicateOf<'aggregate'>(honest.aggregate).sumObject)!.slice();
    const coefficients = new BigUint64Array(bytes.buffer);
    coefficients[0]! -= 1n;
    expect(await failure(applySum(a, publishedInstead(coefficients)))).toMatchObject({ code: 'sum-unverified' });
    await expectDead(/block 0: coefficient 0/);
  });

  it('cannot be published anew once its blocks are drawn', async () => {
    consortium.board.failing = true;
    expect(await failure(applySum(a, publishedInstead(zeroPlusOneStep())))).toMatchObject({ code: 'unreachable' });
    consortium.board.failing = false;
    a = consortium.restart('a');
    expect(await failure(applySum(a, honest))).toMatchObject({ code: 'sum-unverified' });
    await expectDead(/two aggregates of sum 5/);
  });
});

describe('what a sum is opened from', () => {
  it('must be there', async () => {
    consortium.board.digestsOf = honestDigests();
    consortium.board.objects.delete(uploadOf(1));
    expect(await failure(applySum(a, honest))).toMatchObject({ code: 'sum-unverified' });
    await expectDead(/block 0: .*no object/);
  });

  it('must be the upload that was signed', async () => {
    const { objects } = consortium.board;
    objects.set(uploadOf(1), objects.get(uploadOf(2))!);
    expect(await failure(applySum(a, honest))).toMatchObject({ code: 'sum-unverified' });
    await expectDead(/before block 0 .*upload of "b" have the Merkle root/);
  });

  it('must be the bytes of the signed digests', async () => {
    const { objects } = consortium.board;
    consortium.board.digestsOf = honestDigests();
    const share = objects.get(shareOf(2))!.slice();
    share[0]! ^= 1;
    objects.set(shareOf(2), share);
    expect(await failure(applySum(a, honest))).toMatchObject({ code: 'sum-unverified' });
    await expectDead(/block 0: the bytes of the decryption share of "c" have SHA-256/);
  });

  it('must have as many blocks as were signed', async () => {
    const digests = honestDigests();
    consortium.board.digestsOf = (object) => [...digests(object), ...digests(object)];
    expect(await failure(applySum(a, honest))).toMatchObject({ code: 'sum-unverified' });
    await expectDead(/has 2 block digests; its site signed for 1/);
  });

  /** What the digests were before anything was replaced. */
  function honestDigests(): (object: string) => Uint8Array[] {
    const objects = [0, 1, 2].flatMap((index) => [uploadOf(index), shareOf(index)]);
    const known = new Map(objects.map((object) => [object, consortium.board.digestsOf(object)]));
    return (object) => known.get(object) ?? [];
  }
});
