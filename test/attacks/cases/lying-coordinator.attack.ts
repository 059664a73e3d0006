/*
 * A coordinator that hands a serving site what was not approved: another run, another list of sites, other rosters, weaker numbers. Each is refused, stands in
 * the site's journal with its rule, and is told to the operator in a signed statement that can carry nothing of a record; nothing else leaves the site.
 * (Replayed signatures and those of another run: replay-matrix.attack.ts and replay-coordinator.attack.ts.)
 */
import {
  holderPoint,
  openStatement,
  peekStatement,
  planBytes,
  planDigest,
  resolveQuorum,
  type Roster,
  rosterBytes,
  rosterDigest,
  rosterFingerprint,
  runId,
  signStatement,
} from '@coferment/consortium';
import { bytesToHex, generateIdentity, generateSealingKey, loadCrypto, sha256Hex } from '@coferment/crypto';
import type { Instruction } from '@coferment/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AgentError } from '../../../client-agent/src/agent.error.js';
import { EpochSecrets } from '../../../client-agent/src/keys/epoch.secrets.js';
import { planParameters } from '../../../client-agent/src/policy/roster.policy.js';
import { followInstructions } from '../../../client-agent/src/rounds/instructed.member.fixture.js';
import {
  CONSORTIUM,
  createMember,
  fixturePlan,
  type Member,
  removeMember,
  reopenMember,
  SharedBoard,
} from '../../../client-agent/src/rounds/members.fixture.js';

type Kind = NonNullable<Instruction['kind']>;

const SITES = ['a', 'b', 'c', 'd', 'e'];
const FLOORS = 'schema: 1\nrules: { minContributors: 4, threshold: 4, collusionBound: 2, minSites: 5 }';
const plan = fixturePlan();
const digest = planDigest(plan);
const run = runId(digest, 1);
const another = { run: runId(digest, 2), ordinal: 2, plan: digest, sites: SITES };
const others = new Map(SITES.slice(1).map((site) => [site, { identity: generateIdentity(), sealingKey: '' }]));

let board: SharedBoard;
let victim: Member;

const approvePlan = (asked: { run: string; ordinal: number; plan: string; sites: string[] }): Kind => ({
  $case: 'approvePlan',
  approvePlan: asked,
});
const approveRoster = (roster: Roster): Kind => {
  board.objects.set(rosterDigest(roster), rosterBytes(roster));
  return { $case: 'approveRoster', approveRoster: { run, epoch: 1, roster: rosterDigest(roster) } };
};

beforeAll(async () => {
  await loadCrypto();
  board = new SharedBoard();
  board.objects.set(digest, planBytes(plan));
  victim = createMember('a', board, generateIdentity().publicKey);
  victim.policy.set(FLOORS);
  for (const other of others.values()) other.sealingKey = bytesToHex(generateSealingKey().publicKey);
  victim.journal.approvals.decidePlan(digest, 1, 'approved', SITES);
  const asked = { run, ordinal: 1, plan: digest, sites: SITES };
  const offer: Kind = { $case: 'offerSealingKey', offerSealingKey: { run, ordinal: 1, plan: digest, epoch: 1 } };
  await followInstructions(victim, [approvePlan(asked), offer], () => board.all('sealing-key').length > 0);
  victim.journal.approvals.approveRoster(rosterFingerprint(honest()));
  await followInstructions(victim, [approveRoster(honest())], () => board.all('roster-approved').length > 0);
});
afterAll(() => removeMember(victim));

function honest(): Roster {
  const identityOf = (site: string) => others.get(site)?.identity ?? victim.identity;
  const own = bytesToHex(new EpochSecrets(victim.store, run, 1).sealingKey().publicKey);
  const sealingKeys = SITES.map((site) => {
    const key = others.get(site)?.sealingKey ?? own;
    return { site, key, envelope: signStatement('sealing-key', { consortium: CONSORTIUM, run, epoch: 1, site, key }, identityOf(site)) };
  });
  const numbers = resolveQuorum(plan, SITES.length);
  return {
    sites: SITES.map((site) => ({ site, identityKey: bytesToHex(identityOf(site).publicKey) })),
    keyHolders: SITES.slice(0, numbers.m).map((site, position) => ({ site, point: holderPoint(position) })),
    numbers,
    parameters: planParameters(plan, SITES.length),
    leftOut: [],
    sealingKeys,
  };
}

function forged(change: (roster: Roster) => void): Roster {
  const roster = structuredClone(honest());
  change(roster);
  return roster;
}

/** What is asked, the rule that fires, and the code in the journal. Functions, because rosters are made of keys that are drawn first. */
const lies: [string, () => Kind, rule: string, code: string, subject: string][] = [
  [
    'work in a run that nobody approved',
    () => ({ $case: 'offerSealingKey', offerSealingKey: { ...another, epoch: 1 } }),
    'not-approved',
    'not-approved',
    'offerSealingKey 1',
  ],
  [
    'a round of a run that nobody approved',
    () => ({ $case: 'prepareSum', prepareSum: { name: { run: another.run, epoch: 1, sum: 6, kind: 'update', round: 1, attempt: 1 } } }),
    'not-approved',
    'not-approved',
    'prepareSum 6',
  ],
  [
    'the approved run over other sites',
    () => approvePlan({ run, ordinal: 1, plan: digest, sites: SITES.slice(0, 4) }),
    'run-changed',
    'run-changed',
    'plan 1',
  ],
  ['another run under the approved name', () => approvePlan({ ...another, run }), 'run-misnamed', 'run-misnamed', 'plan 2'],
  [
    'a roster with a lower threshold',
    () => approveRoster(forged(({ numbers, parameters }) => void ((numbers.tau = 3), (parameters.threshold = 3)))),
    'threshold',
    'policy-refused',
    'approveRoster 1',
  ],
  [
    'a roster with a lower collusion bound',
    () => approveRoster(forged(({ numbers }) => Object.assign(numbers, { c: 1, rho: 4 }))),
    'collusionBound',
    'policy-refused',
    'approveRoster 1',
  ],
  [
    'a roster with fewer contributors',
    () => approveRoster(forged(({ numbers }) => Object.assign(numbers, { c: 1, rho: 4, minContributors: 3 }))),
    'minContributors',
    'policy-refused',
    'approveRoster 1',
  ],
  [
    'a roster with the parameters for tests',
    () => approveRoster(forged(({ parameters }) => (parameters.set = 'INSECURE_TEST_1024'))),
    'encryption',
    'policy-refused',
    'approveRoster 1',
  ],
  [
    'a roster with a smaller κ',
    () => approveRoster(forged(({ parameters }) => (parameters.kappa -= 1))),
    'roster-rules',
    'roster-rules',
    'approveRoster 1',
  ],
  [
    'the identity key of "b" replaced, and approved by mistake',
    () => {
      const impostor = generateIdentity();
      const roster = forged(({ sites, sealingKeys }) => {
        sites[1]!.identityKey = bytesToHex(impostor.publicKey);
        const { key } = sealingKeys[1]!;
        sealingKeys[1]!.envelope = signStatement('sealing-key', { consortium: CONSORTIUM, run, epoch: 1, site: 'b', key }, impostor);
      });
      victim.journal.approvals.approveRoster(rosterFingerprint(roster));
      return approveRoster(roster);
    },
    'roster-changed',
    'roster-changed',
    'approveRoster 1',
  ],
];

const told = () =>
  board.all('instruction-refused').map((envelope) => openStatement('instruction-refused', envelope, victim.identity.publicKey).predicate);

describe('a coordinator that asks for what was not approved', () => {
  let acts: number;
  beforeAll(async () => {
    acts = board.acts.length;
    board.failing = true;
    // While the line is cut, everything is refused and journalled, and nothing can be told.
    await followInstructions(
      victim,
      lies.map(([, kind]) => kind()),
      () => victim.journal.activity.refusals(100).length >= lies.length,
    );
    expect(told()).toEqual([]);
    victim = reopenMember(victim, board);
    victim.policy.set(FLOORS);
    board.failing = false;
    await followInstructions(victim, [], () => victim.journal.activity.untoldRefusals().length === 0);
  });

  it.each(lies)('%s: is refused, journalled and told', (_what, _kind, rule, code, subject) => {
    expect(victim.journal.activity.refusals(100)).toContainEqual(expect.objectContaining({ subject, code }));
    expect(told()).toContainEqual(expect.objectContaining({ consortium: CONSORTIUM, site: 'a', subject, rule }));
  });

  it('gets those refusals once each, also after a restart, and not one other signature', () => {
    expect(told()).toHaveLength(lies.length);
    expect(board.acts.slice(acts).map(({ envelope }) => peekStatement(envelope).name)).toEqual(lies.map(() => 'instruction-refused'));
    expect(told().find(({ rule }) => rule === 'threshold')).toMatchObject({ run, reason: 'plan has 3, floor is 4' });
  });

  it('is not told why by a site that keeps that to itself, nor of anything while only the network fails', async () => {
    victim.policy.set(`${FLOORS}\ntellReasons: false`);
    const bytes = Buffer.from('{');
    board.objects.set(sha256Hex(bytes), bytes);
    const silent = { run: runId(sha256Hex(bytes), 1), ordinal: 1, plan: sha256Hex(bytes), sites: SITES };
    const before = told().length;
    await followInstructions(victim, [approvePlan(silent)], () => told().length > before);
    expect(told().at(-1)).toMatchObject({ run: silent.run, subject: 'plan 1', rule: 'plan-malformed', reason: '' });

    let tries = 0;
    victim.port.download = () => {
      tries += 1;
      return Promise.reject(new AgentError('unreachable', 'the line is cut'));
    };
    const [refusals, unseen] = [victim.journal.activity.refusals(100), 'f'.repeat(64)];
    await followInstructions(victim, [approvePlan({ ...silent, run: runId(unseen, 1), plan: unseen })], () => tries > 0);
    expect(victim.journal.activity.refusals(100)).toEqual(refusals);
    expect(told()).toHaveLength(before + 1);
  });

  it('leaves the approved run as it was', () => {
    expect(victim.journal.runs.get(run)).toMatchObject({ state: 'approved', sites: SITES });
    expect(victim.journal.runs.epochs(run).map(({ roster }) => roster)).toEqual([rosterDigest(honest())]);
    expect(victim.journal.runs.get(another.run)).toBeUndefined();
  });
});
