/*
 * Refusals of the shared rules about a key epoch, met by a dealer, a key holder or a coordinator that leaves something out. Each by its code, on the handler that
 * a site runs; a site that refuses has signed nothing.
 */
import { checkShareStatement, openStatement, type Predicate, peekStatement, protocolRefusals, signStatement } from '@coferment/consortium';
import { type DsseEnvelope, generateIdentity, loadCrypto, signEnvelope } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { agreeEpoch, checkDealing } from '../../../client-agent/src/rounds/ceremony.handlers.js';
import { members } from '../../../consortium/src/context/members.fixture.js';
import { attack, AttackedConsortium, closeAll, refusedWith, resign } from '../cases/attacked.consortium.fixture.js';

let consortium: AttackedConsortium;
let dealings: DsseEnvelope[];
let acknowledgements: DsseEnvelope[];

beforeAll(async () => {
  await loadCrypto();
  consortium = await AttackedConsortium.beforeAgreeing(['a', 'b', 'c', 'd']);
  dealings = consortium.board.latest('dealing');
  acknowledgements = consortium.board.all('dealing-ack');
});
afterAll(closeAll);

async function agreed(change: { dealings?: DsseEnvelope[]; acknowledgements?: DsseEnvelope[] }, code: string): Promise<void> {
  const a = consortium.member('a');
  const asked = { run: consortium.run, epoch: 1, dealings, acknowledgements, ...change };
  expect(await attack(consortium.board, a, () => agreeEpoch(a, asked))).toEqual(refusedWith(code));
}

const ofDealer = (dealer: string, holder: string) =>
  acknowledgements.findIndex((envelope) => {
    const { predicate } = peekStatement(envelope) as { predicate: Predicate<'dealing-ack'> };
    return predicate.dealer === dealer && predicate.site === holder;
  });

describe('a key epoch', () => {
  it('without a dealing, with one twice or in another order is refused', async () => {
    await agreed({ dealings: dealings.slice(1) }, 'dealings-incomplete');
    await agreed({ dealings: [...dealings, dealings[0]!] }, 'dealings-incomplete');
    await agreed({ dealings: dealings.toReversed() }, 'dealings-incomplete');
  });

  it('without one acknowledgement is refused, also when another stands twice', async () => {
    const missing = ofDealer('b', 'c');
    await agreed({ acknowledgements: acknowledgements.toSpliced(missing, 1) }, 'acknowledgement-missing');
    await agreed({ acknowledgements: acknowledgements.with(missing, acknowledgements[0]!) }, 'acknowledgement-missing');
  });

  it('with an acknowledgement of another dealing is refused', async () => {
    const at = ofDealer('b', 'c');
    const other = resign(acknowledgements[at]!, 'dealing-ack', { dealing: '1'.repeat(64) }, consortium.member('c').identity);
    await agreed({ acknowledgements: acknowledgements.with(at, other) }, 'other-dealing');
  });

  it('with a refusal in the place of an acknowledgement is refused', () =>
    agreed({ acknowledgements: acknowledgements.with(0, dealings[0]!) }, 'wrong-act'));

  it("with a second dealing under this site's own name is dead for it", async () => {
    const again = resign(dealings[0]!, 'dealing', { masked: '2'.repeat(64) }, consortium.member('a').identity);
    const { digest } = peekStatement(again);
    const acks = acknowledgements.map((envelope) => {
      const { predicate } = peekStatement(envelope) as { predicate: Predicate<'dealing-ack'> };
      if (predicate.dealer !== 'a') return envelope;
      return resign(envelope, 'dealing-ack', { dealing: digest }, consortium.member(predicate.site).identity);
    });
    const a = consortium.member('a');
    const asked = { run: consortium.run, epoch: 1, dealings: dealings.with(0, again), acknowledgements: acks };
    expect(await attack(consortium.board, a, () => agreeEpoch(a, asked))).toMatchObject({ code: 'epoch-dead', sent: [] });
  });
});

describe('a dealing', () => {
  const dealt = async (change: Partial<Predicate<'dealing'>>, code: string) => {
    const a = consortium.member('a');
    const dealing = resign(dealings[1]!, 'dealing', change, consortium.member('b').identity);
    expect(await attack(consortium.board, a, () => checkDealing(a, { run: consortium.run, epoch: 1, dealing }))).toEqual(refusedWith(code));
  };

  it('with a commitment or a box too few, too many or in another order is refused', async () => {
    const { commitments, boxes } = peekStatement(dealings[1]!).predicate as Predicate<'dealing'>;
    await dealt({ commitments: commitments.slice(1) }, 'dealing-incomplete');
    await dealt({ commitments: [...commitments, commitments[0]!] }, 'dealing-incomplete');
    await dealt({ boxes: boxes.slice(1) }, 'dealing-incomplete');
    await dealt({ boxes: boxes.toReversed() }, 'dealing-incomplete');
  });

  it('of a site that is not in the epoch is refused', () => dealt({ site: 'zz' }, 'not-in-epoch'));

  it('with a box that does not open is answered with a refusal that names the pair', async () => {
    const fresh = await AttackedConsortium.beforeAgreeing(['a', 'b', 'c'], false);
    const [, b] = fresh.board.latest('dealing') as [DsseEnvelope, DsseEnvelope];
    const { boxes } = peekStatement(b).predicate as Predicate<'dealing'>;
    const bytes = fresh.board.objects.get(boxes[0]!['object']!)!.slice();
    bytes[bytes.length - 1]! ^= 1;
    fresh.board.objects.set(boxes[0]!['object']!, bytes);
    const a = fresh.member('a');
    for (let asked = 0; asked < 2; asked++) {
      const seen = await attack(fresh.board, a, () => checkDealing(a, { run: fresh.run, epoch: 1, dealing: b }));
      expect(seen).toMatchObject({ code: 'dealing-refused', sent: ['dealing-refused'] });
    }
    const [first, second] = fresh.acts('dealing-refused');
    expect(first!.predicate).toMatchObject({ dealer: 'b', site: 'a' });
    expect(second!.digest).toBe(first!.digest);
    expect(fresh.board.all('dealing-ack')).toEqual([]);
  });
});

describe('a decryption share', () => {
  it('of a site that holds no key is refused', async () => {
    const { identities, roster } = members(['a', 'b', 'c', 'd'], ['a', 'b', 'c']);
    const digest = '1'.repeat(64);
    const position = {
      consortium: 'test-consortium',
      run: 'r1-0123456789abcdef',
      epoch: 1,
      e: digest,
      kind: 'update' as const,
      sum: 6,
      attempt: 1,
    };
    const { epoch: _, attempt: __, ...inSum } = position;
    const share = { ...inSum, k: digest, t: digest, blocks: 1, object: digest, merkleRoot: digest };
    const signed = (site: string) => signStatement('share', { ...share, site }, identities.get(site)!);
    expect(() => checkShareStatement(roster, position, digest, digest, signed('c'))).not.toThrow();
    expect(() => checkShareStatement(roster, position, digest, digest, signed('d'))).toThrow(
      expect.objectContaining({ code: 'not-a-holder' }),
    );
  });
});

describe('a statement', () => {
  it('of another kind, of no kind, or with more in it than it may say is refused', () => {
    const identity = generateIdentity();
    const approval = { consortium: 'acme', plan: '1'.repeat(64), name: 'p' };
    const published = signStatement('plan-published', approval, identity);
    const text = Buffer.from(published.payload, 'base64').toString('utf8');
    const signedText = (changed: string) => signEnvelope(Buffer.from(changed), identity);
    for (const envelope of [
      published,
      signedText(text.replace('plan-published:v1', 'plan-stolen:v1')),
      signedText(`${text} `),
      signedText('{}'),
    ])
      expect(() => openStatement('nonce', envelope, identity.publicKey)).toThrow(expect.objectContaining({ code: 'invalid-statement' }));
    expect(() => signStatement('plan-published', { ...approval, record: 'B-1' } as never, identity)).toThrow(
      expect.objectContaining({ code: 'invalid-statement' }),
    );
  });
});

it('the list of refusals has no code twice', () => {
  expect(new Set(protocolRefusals).size).toBe(protocolRefusals.length);
});
