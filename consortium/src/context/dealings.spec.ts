import { describe, expect, it } from 'vitest';
import { signStatement } from '../statements/index.js';
import { epochContext, epochZero } from './context.js';
import { checkDealingStatement, checkEpoch } from './dealings.js';
import { CONSORTIUM, RUN, digestOf, members } from './members.fixture.js';

const ids = ['alpha', 'beta', 'gamma'];
const { identities, roster } = members(ids);
const e0 = epochZero({ consortium: CONSORTIUM, run: RUN, ordinal: 1, epoch: 1, plan: digestOf(1), roster: digestOf(2) });
const position = { consortium: CONSORTIUM, run: RUN, epoch: 1, e0 };

function deal(site: string, change: Partial<{ e0: string; commitments: string[] }> = {}, signer = site) {
  const boxes = ids.map((holder) => ({ holder, object: digestOf(7) }));
  const predicate = {
    consortium: CONSORTIUM,
    run: RUN,
    epoch: 1,
    e0,
    site,
    commitments: ids.map(() => digestOf(8)),
    masked: digestOf(9),
    boxes,
    ...change,
  };
  return signStatement('dealing', predicate, identities.get(signer)!);
}

function acknowledge(dealer: string, site: string, dealing = checkDealingStatement(roster, position, deal(dealer)).digest) {
  return signStatement('dealing-ack', { consortium: CONSORTIUM, run: RUN, epoch: 1, e0, dealer, site, dealing }, identities.get(site)!);
}

const dealings = ids.map((site) => deal(site));
const acknowledgements = ids.flatMap((dealer) => ids.map((holder) => acknowledge(dealer, holder)));

describe('E0', () => {
  const identity = { consortium: CONSORTIUM, run: RUN, ordinal: 1, epoch: 1, plan: digestOf(1), roster: digestOf(2) };
  it.each([
    ['consortium', 'another-consortium'],
    ['run', 'r2-0123456789abcdef'],
    ['ordinal', 2],
    ['epoch', 2],
    ['plan', digestOf(3)],
    ['roster', digestOf(3)],
  ])('is another for another %s', (field, value) => {
    expect(epochZero({ ...identity, [field]: value })).not.toBe(epochZero(identity));
  });
});

describe('E', () => {
  it('is another when a site is left out, and refused with the dealing of that site', () => {
    const without = { ...roster, leftOut: ['gamma'] };
    expect(epochContext(e0, [], ['gamma'])).not.toBe(epochContext(e0, [], []));
    expect(() => checkEpoch({ roster: without, position, dealings, acknowledgements })).toThrow(
      '"gamma" deals but is not a site of this key epoch',
    );
  });
  it('comes out the same for all who see the same dealings', () => {
    const { e, dealings: references } = checkEpoch({ roster, position, dealings, acknowledgements });
    expect(e).toBe(epochContext(e0, references, []));
  });
  it('is refused while one acknowledgement is missing', () => {
    expect(() => checkEpoch({ roster, position, dealings, acknowledgements: acknowledgements.slice(1) })).toThrow(
      '"alpha" has not acknowledged the dealing of "alpha"',
    );
  });
  it('is refused when a holder acknowledged another dealing', () => {
    const wrong = [acknowledge('alpha', 'beta', digestOf(5)), ...acknowledgements];
    expect(() => checkEpoch({ roster, position, dealings, acknowledgements: wrong })).toThrow('another dealing');
  });
  it('is refused without a dealing, or with one out of order', () => {
    expect(() => checkEpoch({ roster, position, dealings: dealings.slice(1), acknowledgements })).toThrow('exactly one dealing');
    expect(() => checkEpoch({ roster, position, dealings: dealings.toReversed(), acknowledgements })).toThrow('exactly one dealing');
  });
});

describe('a dealing', () => {
  it('is refused for another epoch', () =>
    expect(() => checkDealingStatement(roster, position, deal('alpha', { e0: digestOf(3) }))).toThrow('another run or key epoch'));
  it('is refused with a commitment too few', () =>
    expect(() => checkDealingStatement(roster, position, deal('alpha', { commitments: [digestOf(8)] }))).toThrow('1 commitments'));
  it('is refused when signed by another site', () =>
    expect(() => checkDealingStatement(roster, position, deal('alpha', {}, 'beta'))).toThrow());
});
