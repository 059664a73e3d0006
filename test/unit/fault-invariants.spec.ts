import type { PredicateName, Statement } from '@coferment/consortium';
import { describe, expect, it } from 'vitest';
import { INVARIANTS, violationsOf } from '../faults/invariants/invariants.js';
import type { ConsortiumStores, StoredAct, StoredRound } from '../faults/invariants/stores.js';

const RUN = 'r1-test';
const statement = (name: PredicateName, digest: string, predicate: object) => ({ name, digest, predicate }) as unknown as Statement;

const share = statement('share', 'd-share', { run: RUN, sum: 7, site: 'alder', k: 'k7', t: 't7', object: 'o-share' });
const contribution = statement('contribution', 'd-upload', { run: RUN, sum: 7, site: 'alder', attempt: 1, object: 'o-upload' });
const aggregate = statement('aggregate', 'd-aggregate', { run: RUN, sum: 7, modelOut: 'm1' });
const opening = statement('run-opened', 'd-opened', { run: RUN });
const closing = statement('run-closed', 'd-closed', { run: RUN, contributions: [{ site: 'alder', updates: 1 }] });

const round: StoredRound = {
  run: RUN,
  sum: 7,
  kind: 'update',
  round: 1,
  state: 'closed',
  attempt: 1,
  k: 'k7',
  t: 't7',
  counted: ['alder'],
  excluded: [{ site: 'birch', reason: 'late' }],
  modelIn: 'm0',
  modelOut: 'm1',
};

const act = (of: Statement, site = 'alder', slot = '7'): StoredAct => ({ run: RUN, site, slot, digest: of.digest, statement: of });

/** A run of one round as it has to be. Fresh each time, to be broken. */
function whole(): ConsortiumStores {
  const all = [opening, contribution, share, aggregate, closing];
  const roundStates = ['training', 'ready', 'uploading', 'frozen', 'attesting', 'decrypting', 'applying', 'closed'];
  const runStates = ['awaiting-approval', 'key-ceremony', 'running', 'completed'];
  return structuredClone({
    runs: [{ run: RUN, state: 'completed' as const, model: 'm1', sites: ['alder', 'birch'] }],
    rounds: [round],
    acts: all.map((entry) => act(entry)),
    events: [
      ...runStates.map((state) => ({ run: RUN, type: 'run-state', state, sum: null })),
      ...roundStates.map((state) => ({ run: RUN, type: 'round-state', state, sum: 7 })),
    ],
    models: [{ run: RUN, round: 1, model: 'm1', object: 'bytes-of-m1' }],
    objects: [{ digest: 'o-upload', size: 10 }],
    ledger: all.map((entry, index) => ({ index, digest: entry.digest, statement: entry })),
    files: [
      { path: 'o-upload', size: 10 },
      { path: 'leaves/o-upload', size: 32 },
    ],
    sites: [
      {
        site: 'alder',
        statements: [
          { run: RUN, name: 'contribution', subject: '7/1', digest: 'd-upload', statement: contribution },
          { run: RUN, name: 'share', subject: '7', digest: 'd-share', statement: share },
        ],
        steps: (['trained', 'nonce-given', 'encrypted', 'uploaded', 'attested', 'released', 'applied'] as const).map((state) => ({
          run: RUN,
          sum: 7,
          attempt: 1,
          state,
        })),
        applied: [{ run: RUN, sum: 7, model: 'bytes-of-m1' }],
      },
    ],
  });
}

const otherShare = statement('share', 'd-other', { ...share.predicate, object: 'o-other' });

/** One way each to break every promise, and what is then said. */
const BROKEN: [string, (stores: ConsortiumStores) => void, RegExp][] = [
  [
    'a contribution is stored twice',
    ({ acts }) => acts.push(act(contribution)),
    /no update is counted twice: contribution of alder .* 2 times/,
  ],
  ['a site is counted twice in a sum', ({ rounds }) => rounds[0]!.counted.push('alder'), /counted twice: alder in sum 7 .* 2 times/],
  [
    'two sums of one round are closed',
    (stores) => {
      stores.rounds.push({ ...round, sum: 8 });
    },
    /counted twice: update 1 of r1-test is closed 2 times/,
  ],
  ['an aggregate is in the ledger twice', ({ ledger }) => ledger.push({ ...ledger[3]!, index: 5 }), /aggregate of sum 7 .* 2 times/],
  [
    'the account has one update too many',
    ({ rounds }) => (rounds[0]!.counted = ['birch']),
    /counted twice: the account of r1-test has 1 updates of alder; 0 were counted/,
  ],
  [
    'an acknowledged contribution is gone',
    ({ acts }) => acts.splice(1, 1),
    /nothing that was acknowledged is lost: .* was acknowledged, and the coordinator does not have it/,
  ],
  [
    'a site has forgotten what it sent',
    ({ sites }) => sites[0]!.statements.splice(0, 1),
    /acknowledged is lost: .* is not in its own journal/,
  ],
  ['a frozen sum is silent about a site', ({ rounds }) => (rounds[0]!.counted = []), /is neither counted nor excluded/],
  [
    'a frozen sum says two things of a site',
    ({ rounds }) => rounds[0]!.excluded.push({ site: 'alder', reason: 'late' }),
    /is counted and excluded/,
  ],
  ['a site has another model', ({ sites }) => (sites[0]!.applied[0]!.model = 'other'), /one model per round: alder has another model/],
  ['the ledger names another model', ({ models }) => (models[0]!.model = 'm2'), /one model per round: .* several models: m1, m2/],
  ['no model of a closed round is stored', ({ models }) => models.pop(), /one model per round: .* no model of its round is stored/],
  [
    'the run has another model than its last update',
    ({ runs }) => (runs[0]!.model = 'm0'),
    /r1-test has the model m0, and its last update gave m1/,
  ],
  [
    'a holder has two shares for one K',
    ({ sites }) => sites[0]!.statements.push({ run: RUN, name: 'share', subject: '8', digest: 'd-other', statement: otherShare }),
    /a released share is never contradicted: alder has two shares of sum 7/,
  ],
  [
    'an act is not in the ledger',
    ({ ledger }) => ledger.splice(1, 1),
    /ledger and database agree: contribution of alder .* not in the ledger/,
  ],
  ['an entry is not in the database', ({ acts }) => acts.splice(3, 1), /ledger and database agree: entry 3 .* not in the database/],
  ['an entry is missing', ({ ledger }) => ledger.splice(0, 1), /entry 1 of the ledger stands at place 0/],
  ['a file has no row', ({ objects }) => objects.pop(), /no orphan files: the file o-upload belongs to no object/],
  ['a row has no file', ({ files }) => files.shift(), /no orphan files: the object o-upload has a row and no file/],
  ['a file is too short', ({ files }) => (files[0]!.size = 9), /o-upload has 9 bytes; its row says 10/],
  [
    'a draft is left over',
    ({ files }) => files.push({ path: 'partial/@coordinator.sum-1', size: 0 }),
    /no orphan files: partial\/@coordinator.sum-1 is a part of nothing/,
  ],
  ['leaves are left over', ({ files }) => files.push({ path: 'leaves/gone', size: 32 }), /leaves\/gone belongs to no object/],
  [
    'a round goes back after the freeze',
    ({ events }) => events.splice(8, 0, { run: RUN, type: 'round-state', state: 'ready', sum: 7 }),
    /state machines are legal: sum 7 of r1-test went from "frozen" to "ready"/,
  ],
  ['a run skips its ceremony', ({ events }) => events.splice(1, 1), /legal: r1-test went from "awaiting-approval" to "running"/],
  [
    'a state was stored and not told',
    ({ runs }) => (runs[0]!.state = 'failed'),
    /r1-test is "failed", and the last that was told of it is "completed"/,
  ],
  [
    'a site encrypts after it has signed',
    ({ sites }) => sites[0]!.steps.splice(5, 0, { run: RUN, sum: 7, attempt: 1, state: 'encrypted' }),
    /legal: sum 7 of r1-test at alder went from "attested" to "encrypted"/,
  ],
];

describe('the invariants', () => {
  it('hold in stores as they have to be', () => {
    expect(violationsOf(whole())).toEqual([]);
  });

  it.each(BROKEN)('find it when %s', (_, breaks, said) => {
    const stores = whole();
    breaks(stores);
    expect(violationsOf(stores).join('\n')).toMatch(said);
  });

  it('are each broken here once at least', () => {
    const broken = BROKEN.map(([, breaks]) => {
      const stores = whole();
      breaks(stores);
      return violationsOf(stores);
    });
    for (const { name } of INVARIANTS) expect(broken.flat().some((violation) => violation.startsWith(name))).toBe(true);
  });
});
