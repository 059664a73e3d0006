/*
 * Case 15. Whoever has recorded every signature that was ever made replays each of them wherever a site takes one: as another act, in another consortium, run,
 * epoch, sum, attempt, over another K or T, under another name. The matrix follows from the closed list of statements and the fields of each, so a statement or
 * field that is added is replayed too, and has to be given its place here before this compiles.
 */
import {
  type Predicate,
  type PredicateName,
  peekStatement,
  planDigest,
  predicates,
  rosterBytes,
  rosterDigest,
  runId,
  signStatement,
} from '@coferment/consortium';
import { type DsseEnvelope, generateIdentity, type Identity, loadCrypto } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InstructionBody } from '../../../client-agent/src/connection/instruction.parser.js';
import { planParameters } from '../../../client-agent/src/policy/roster.policy.js';
import { approveRoster } from '../../../client-agent/src/rounds/approval.handlers.js';
import { agreeEpoch, checkDealing } from '../../../client-agent/src/rounds/ceremony.handlers.js';
import { CONSORTIUM } from '../../../client-agent/src/rounds/members.fixture.js';
import { attest, releaseShare } from '../../../client-agent/src/rounds/opening.handlers.js';
import { applySum, closeRun } from '../../../client-agent/src/rounds/publication.handlers.js';
import { AttackedConsortium, closeAll, failureOf } from './attacked.consortium.fixture.js';

/** Where a site takes a signature, and how it is asked with one put there. */
type Place =
  | 'sealing key of a roster'
  | 'dealing to check'
  | 'dealing of an epoch'
  | 'acknowledgement of an epoch'
  | 'upload to attest'
  | 'upload to open'
  | 'attestation of a certificate'
  | 'share of a published sum'
  | 'aggregate'
  | 'closing';

interface Asked {
  members: AttackedConsortium;
  /** The act that belongs here. */
  honest: DsseEnvelope;
  signer: Identity;
  ask: (envelope: DsseEnvelope) => Promise<unknown>;
}

type Fields<N extends PredicateName> = Record<keyof Predicate<N>, 'bound' | 'content'>;

/** Content is what the signer says, as opposed to where it says it: other content is another act, not a replay. */
const inRun = { consortium: 'bound', run: 'bound' } as const;
const inEpoch = { ...inRun, epoch: 'bound' } as const;
const inSum = { ...inRun, e: 'bound', kind: 'bound', sum: 'bound' } as const;

const taken = {
  'sealing key of a roster': { name: 'sealing-key', fields: { ...inEpoch, site: 'bound', key: 'bound' } satisfies Fields<'sealing-key'> },
  'dealing to check': {
    name: 'dealing',
    fields: {
      ...inEpoch,
      e0: 'bound',
      site: 'bound',
      commitments: 'content',
      masked: 'content',
      boxes: 'content',
    } satisfies Fields<'dealing'>,
  },
  // What was acknowledged is this dealing, to the byte.
  'dealing of an epoch': {
    name: 'dealing',
    fields: { ...inEpoch, e0: 'bound', site: 'bound', commitments: 'bound', masked: 'bound', boxes: 'bound' } satisfies Fields<'dealing'>,
  },
  'acknowledgement of an epoch': {
    name: 'dealing-ack',
    fields: { ...inEpoch, e0: 'bound', dealer: 'bound', site: 'bound', dealing: 'bound' } satisfies Fields<'dealing-ack'>,
  },
  'upload to attest': {
    name: 'contribution',
    fields: {
      ...inSum,
      k: 'bound',
      attempt: 'bound',
      site: 'bound',
      blocks: 'bound',
      droppedBits: 'bound',
      object: 'content',
      merkleRoot: 'content',
      ranges: 'bound',
      sampleCommitment: 'content',
      backend: 'content',
    } satisfies Fields<'contribution'>,
  },
  // The Merkle root is in T, and ρ sites have signed T. The object is where its bytes are found: its root decides.
  'upload to open': {
    name: 'contribution',
    fields: {
      ...inSum,
      k: 'bound',
      attempt: 'bound',
      site: 'bound',
      blocks: 'bound',
      droppedBits: 'bound',
      object: 'content',
      merkleRoot: 'bound',
      ranges: 'bound',
      sampleCommitment: 'content',
      backend: 'content',
    } satisfies Fields<'contribution'>,
  },
  'attestation of a certificate': {
    name: 'attestation',
    fields: { ...inEpoch, e: 'bound', kind: 'bound', site: 'bound', sums: 'bound' } satisfies Fields<'attestation'>,
  },
  // The aggregate names it by its digest.
  'share of a published sum': {
    name: 'share',
    fields: {
      ...inSum,
      k: 'bound',
      t: 'bound',
      site: 'bound',
      blocks: 'bound',
      object: 'bound',
      merkleRoot: 'bound',
    } satisfies Fields<'share'>,
  },
  aggregate: {
    name: 'aggregate',
    fields: {
      ...inSum,
      epoch: 'bound',
      round: 'bound',
      k: 'bound',
      t: 'bound',
      sumObject: 'bound',
      certificate: 'bound',
      shares: 'bound',
      modelIn: 'bound',
      modelOut: 'bound',
    } satisfies Fields<'aggregate'>,
  },
  closing: {
    name: 'run-closed',
    fields: { ...inRun, status: 'content', rounds: 'content', model: 'content', contributions: 'content' } satisfies Fields<'run-closed'>,
  },
} as const satisfies Record<Place, { name: PredicateName; fields: Record<string, 'bound' | 'content'> }>;

const places = Object.keys(taken) as Place[];
const names = Object.keys(predicates) as PredicateName[];
const DIGEST = '9'.repeat(64);

/** Any valid statement of each kind, signed for exactly the run and sum that the site is in: only its purpose is another. */
function everyStatement(consortium: AttackedConsortium, { run, e, e0 }: { run: string; e: string; e0: string }, site: string) {
  const here = { consortium: CONSORTIUM, run };
  const sum = { ...here, e, kind: 'update' as const, sum: consortium.firstUpdate };
  const epoch = { ...here, epoch: 1 };
  const at = { round: 1, attempt: 1 };
  const numbers = { n: 4, m: 4, tau: 3, c: 1, rho: 3, minContributors: 3 };
  const every: { [N in PredicateName]: Predicate<N> } = {
    'consortium-founded': { consortium: CONSORTIUM, origin: 'o', operatorKey: DIGEST, wireVersion: '1.0' },
    'site-enrolled': { consortium: CONSORTIUM, site, identityKey: DIGEST, certificate: DIGEST },
    'site-revoked': { consortium: CONSORTIUM, site, reason: 'r' },
    'plan-published': { consortium: CONSORTIUM, plan: DIGEST, name: 'p' },
    'plan-approved': { consortium: CONSORTIUM, site, plan: planDigest(consortium.plan), ordinal: 1, sites: consortium.sites },
    'run-opened': { ...here, plan: DIGEST, ordinal: 1, sites: consortium.sites },
    'sealing-key': { ...epoch, site, key: sealingKeyLike(consortium) },
    'roster-approved': { ...epoch, site, roster: DIGEST, fingerprint: DIGEST, e0 },
    dealing: { ...epoch, e0, site, commitments: [], masked: DIGEST, boxes: [] },
    'dealing-ack': { ...epoch, e0, dealer: 'a', site, dealing: DIGEST },
    'dealing-refused': { ...epoch, e0, dealer: 'a', site, dealing: DIGEST, reason: 'r' },
    'epoch-agreed': { ...epoch, e0, e, site, dealings: [], leftOut: [] },
    'epoch-left': { ...epoch, site, reason: 'restored' },
    'key-epoch': { ...epoch, roster: DIGEST, e0, e, numbers, keyHolders: consortium.sites, dealings: [], leftOut: [] },
    nonce: { ...sum, i: DIGEST, attempt: 1, site, nonce: DIGEST },
    'attempt-declined': { ...sum, attempt: 1, site, reason: 'no-data' },
    contribution: {
      ...sum,
      k: DIGEST,
      attempt: 1,
      site,
      blocks: 1,
      droppedBits: 1,
      object: DIGEST,
      merkleRoot: DIGEST,
      ranges: DIGEST,
      sampleCommitment: DIGEST,
      backend: 'none',
    },
    'round-frozen': {
      ...sum,
      ...at,
      epoch: 1,
      i: DIGEST,
      modelIn: DIGEST,
      ranges: DIGEST,
      normalisation: DIGEST,
      weightRule: 'w',
      nonces: [],
      k: DIGEST,
      t: DIGEST,
      counted: [],
      excluded: [],
    },
    attestation: {
      ...epoch,
      e,
      kind: 'update',
      site,
      sums: [{ sum: consortium.firstUpdate, k: DIGEST, t: DIGEST, set: DIGEST, modelIn: DIGEST }],
    },
    share: { ...sum, k: DIGEST, t: DIGEST, site, blocks: 1, object: DIGEST, merkleRoot: DIGEST },
    aggregate: {
      ...sum,
      epoch: 1,
      round: 1,
      k: DIGEST,
      t: DIGEST,
      sumObject: DIGEST,
      certificate: [],
      shares: [],
      modelIn: DIGEST,
      modelOut: DIGEST,
    },
    evaluation: { ...here, round: 1, sum: 1, model: DIGEST, metric: 'rmse', value: 1, holdoutCount: 1 },
    'round-abandoned': { ...sum, ...at, reason: 'r', excluded: [] },
    'round-garbled': { ...sum, round: 1, reason: 'parity', named: [] },
    'round-stuck': { ...sum, round: 1, reason: 'r' },
    'model-released': { ...here, model: DIGEST, parameters: 1 },
    'run-closed': { ...here, status: 'failed', rounds: 0, model: 'none', contributions: [] },
  };
  return every;
}

const sealingKeyLike = (consortium: AttackedConsortium): string => consortium.roster.sealingKeys[0]!.key;

/** The same field with another value that is as valid. */
function another(field: string, value: unknown, consortium: AttackedConsortium): unknown {
  switch (typeof value) {
    case 'number':
      return value + 1;
    case 'string':
      if (field === 'consortium') return 'other';
      if (field === 'run') return runId(DIGEST, 2);
      if (field === 'kind') return value === 'update' ? 'evaluate' : 'update';
      if (field === 'site' || field === 'dealer') return consortium.sites.find((site) => site !== value && site !== 'b') ?? 'zz';
      if (field === 'key') return consortium.roster.sealingKeys[2]!.key;
      return value === DIGEST ? '8'.repeat(64) : DIGEST;
    default:
      return anotherList(value as object[]);
  }
}

function anotherList(value: object[]): unknown {
  const [first, ...rest] = value;
  if (typeof first === 'string') return [DIGEST, ...rest];
  const last = Object.keys(first!).at(-1)!;
  return [{ ...first, [last]: DIGEST }, ...rest];
}

let consortium: AttackedConsortium;
/** Each place with a site that waits for exactly this signature, and a site to be asked that has not been asked before. */
const asked = {} as Record<Place, () => Asked>;

beforeAll(async () => {
  await loadCrypto();
  consortium = await AttackedConsortium.beforeConfirming(['a', 'b', 'c', 'd']);
  const ceremony = await AttackedConsortium.beforeAgreeing(['a', 'b', 'c', 'd']);
  const [victim, signer] = [ceremony.member('a'), ceremony.member('b').identity];
  const dealings = ceremony.board.latest('dealing');
  const acknowledgements = ceremony.board.all('dealing-ack');
  const epoch = { run: ceremony.run, epoch: 1 };
  const ofB = acknowledgements.findIndex((envelope) => (peekStatement(envelope).predicate as { site: string }).site === 'b');

  const dealt = await AttackedConsortium.beforeAgreeing(['a', 'b', 'c', 'd'], false);
  asked['dealing to check'] = () => ({
    members: dealt,
    honest: dealt.board.latest('dealing')[1]!,
    signer: dealt.member('b').identity,
    ask: (dealing) => checkDealing(dealt.member('a'), { run: dealt.run, epoch: 1, dealing }),
  });
  asked['dealing of an epoch'] = () => ({
    members: ceremony,
    honest: dealings[1]!,
    signer,
    ask: (envelope) => agreeEpoch(victim, { ...epoch, dealings: dealings.with(1, envelope), acknowledgements }),
  });
  asked['acknowledgement of an epoch'] = () => ({
    members: ceremony,
    honest: acknowledgements[ofB]!,
    signer,
    ask: (envelope) => agreeEpoch(victim, { ...epoch, dealings, acknowledgements: acknowledgements.with(ofB, envelope) }),
  });
  const running = await AttackedConsortium.inTraining();
  const frozen = await running.contribute(running.update());
  const [a, b] = [running.member('a'), running.member('b').identity];
  const uploadAt = (envelope: DsseEnvelope) => ({ ...frozen, contributions: frozen.contributions.with(1, envelope) });
  const certificate = ['b', 'c', 'd'].map((site) => running.corruptAttestation(site, frozen));
  asked['upload to attest'] = () => ({
    members: running,
    honest: frozen.contributions[1]!,
    signer: b,
    ask: (envelope) => attest(a, { sums: [uploadAt(envelope)] }),
  });
  asked['upload to open'] = () => ({
    members: running,
    honest: frozen.contributions[1]!,
    signer: b,
    ask: (envelope) => releaseShare(a, { frozen: uploadAt(envelope), certificate }),
  });
  asked['attestation of a certificate'] = () => ({
    members: running,
    honest: certificate[0]!,
    signer: b,
    ask: (envelope) => releaseShare(a, { frozen, certificate: certificate.with(0, envelope) }),
  });

  const published = await AttackedConsortium.inTraining();
  const sum = await published.contribute(published.update());
  const instruction: InstructionBody<'applySum'> = await published.open(sum, await published.certify([sum]));
  const reader = published.member('a');
  asked['share of a published sum'] = () => ({
    members: published,
    honest: instruction.shares[1]!,
    signer: published.member('b').identity,
    ask: (envelope) => applySum(reader, { ...instruction, shares: instruction.shares.with(1, envelope) }),
  });
  asked['aggregate'] = () => ({
    members: published,
    honest: instruction.aggregate,
    signer: published.operator,
    ask: (aggregate) => applySum(reader, { ...instruction, aggregate }),
  });
  const ended = { consortium: CONSORTIUM, run: published.run, status: 'completed', rounds: 2, model: 'none', contributions: [] } as const;
  asked['closing'] = () => ({
    members: published,
    honest: signStatement('run-closed', { ...ended, contributions: [] }, published.operator),
    signer: published.operator,
    ask: (closing) => closeRun(published.member('c'), { run: published.run, closing }),
  });

  const approving = await AttackedConsortium.beforeConfirming(['a', 'b', 'c', 'd']);
  const roster = { ...approving.roster, parameters: planParameters(approving.plan, 4) };
  const next = await approving.approvedRun(2);
  const sealingKeys = roster.sealingKeys.map(({ site }) => next(site));
  asked['sealing key of a roster'] = () => ({
    members: approving,
    honest: sealingKeys[1]!.envelope,
    signer: approving.member('b').identity,
    ask: (envelope) => {
      const named = { ...roster, sealingKeys: sealingKeys.with(1, { ...sealingKeys[1]!, envelope }) };
      approving.board.objects.set(rosterDigest(named), rosterBytes(named));
      return approveRoster(approving.member('a'), { run: approving.run, epoch: 1, roster: rosterDigest(named) });
    },
  });
});
beforeAll(() => {
  for (const place of places) asked[place]().members.checkpoint();
});
afterAll(closeAll);

/** Refusals that would be given for anything, and so say nothing about a signature. */
const UNTOLD = ['no refusal', 'no code', 'epoch-dead', 'not-approved', 'run-closed', 'unreachable', 'not-built-yet', 'out-of-order'];

interface Cell {
  what: string;
  envelope: DsseEnvelope;
}

/** Every replay at one place: as every other act, with every binding field of another value, and the right act of every other signer. */
function cellsOf(place: Place): Cell[] {
  const { name, fields } = taken[place];
  const { honest, signer } = asked[place]();
  const predicate = peekStatement(honest).predicate as Record<string, unknown>;
  const { run = '', e = DIGEST, e0 = DIGEST, site = 'b' } = predicate as Partial<Record<'run' | 'e' | 'e0' | 'site', string>>;
  const every = everyStatement(consortium, { run, e, e0 }, site);
  const purposes = names.flatMap((other) =>
    other === name ? [] : [{ what: `a ${other}`, envelope: signStatement(other, every[other], signer) }],
  );
  const replays = Object.entries(fields).flatMap(([field, kind]) => {
    if (kind === 'content') return [];
    const changed = { ...predicate, [field]: another(field, predicate[field], consortium) };
    return [{ what: `another ${field}`, envelope: signStatement(name, changed as never, signer) }];
  });
  const signers = [generateIdentity(), consortium.member('c').identity, consortium.operator].map((other, index) => ({
    what: `signer ${index}`,
    envelope: signStatement(name, predicate as never, other),
  }));
  return [...purposes, ...replays, ...signers];
}

describe('a signature from elsewhere', () => {
  it('is replayed in every cell of the matrix', () => {
    const bound = places.reduce((count, place) => count + Object.values(taken[place].fields).filter((kind) => kind === 'bound').length, 0);
    const cells = places.reduce((count, place) => count + cellsOf(place).length, 0);
    expect(cells).toBe(places.length * (names.length - 1) + bound + places.length * 3);
    expect({ places: places.length, statements: names.length, bound }).toEqual({ places: 10, statements: names.length, bound: 82 });
    for (const place of places) {
      const { name, fields } = taken[place];
      expect(Object.keys(fields).toSorted()).toEqual(Object.keys(predicates[name].shape).toSorted());
    }
  });

  it.each(places)('is refused as %s, whatever it is', async (place) => {
    const { members } = asked[place]();
    members.rewind();
    const accepted: string[] = [];
    for (const { what, envelope } of cellsOf(place)) {
      const { code } = await failureOf(asked[place]().ask(envelope));
      if (UNTOLD.includes(code)) accepted.push(`${what}: ${code}`);
      // A false sum takes the site out of the run: what comes next must find it there again.
      if (members.members.some(({ journal }) => journal.runs.get(members.run)?.state !== 'approved')) members.rewind();
    }
    expect(accepted).toEqual([]);
    const { honest, ask } = asked[place]();
    expect(await failureOf(ask(honest))).toMatchObject({ code: 'no refusal' });
    members.rewind();
  });
});
