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
import { another, DIGEST, everyStatement, names } from './every.statement.fixture.js';

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
      batchCommitment: 'content',
      dataReportCommitment: 'content',
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
      batchCommitment: 'content',
      dataReportCommitment: 'content',
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
  const { sealingKeys } = consortium.roster;
  const here = { consortium: CONSORTIUM, plan: planDigest(consortium.plan), sites: consortium.sites, kind: 'update' as const };
  const known = { ...here, run, e, e0, sum: consortium.firstUpdate, key: sealingKeys[2]!.key };
  const every = everyStatement(known, site);
  const purposes = names.flatMap((other) =>
    other === name ? [] : [{ what: `a ${other}`, envelope: signStatement(other, every[other], signer) }],
  );
  const replays = Object.entries(fields).flatMap(([field, kind]) => {
    if (kind === 'content') return [];
    const changed = { ...predicate, [field]: another(field, predicate[field], known) };
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
