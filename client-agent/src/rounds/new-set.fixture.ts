import { type Predicate, peekStatement, setDifference, signStatement } from '@coferment/consortium';
import type { DsseEnvelope, Identity } from '@coferment/crypto';
import { sha256Hex } from '@coferment/crypto';
import type { FrozenSum } from '../connection/instruction.parser.js';
import type { ScriptedConsortium } from './consortium.fixture.js';
import { CONSORTIUM } from './members.fixture.js';
import { approveNewSet } from './new-set.handlers.js';

export type Proposed = Predicate<'new-set-proposed'>;

/** What an honest operator proposes for a frozen sum: the difference and every signer of the first set have to approve. */
export function proposalFor(
  consortium: ScriptedConsortium,
  frozen: FrozenSum,
  after: readonly string[],
  change: Partial<Proposed> = {},
): DsseEnvelope {
  const { kind, sum } = frozen.name;
  const { t, sites, modelIn } = consortium.contextOf(frozen);
  const signers = consortium.board.all('attestation').flatMap((envelope) => {
    const { predicate } = peekStatement(envelope) as { predicate: Predicate<'attestation'> };
    return predicate.sums.some((entry) => entry.t === t) ? [predicate.site] : [];
  });
  const approvers = [...new Set([...setDifference(sites, after), ...signers])].sort();
  const proposed = {
    consortium: CONSORTIUM,
    run: consortium.run,
    e: consortium.e,
    kind,
    sum,
    modelIn,
    t,
    before: sites,
    after: [...after],
    approvers,
  };
  return signStatement('new-set-proposed', { ...proposed, ...change }, consortium.operator);
}

export function digestOf({ payload }: DsseEnvelope): string {
  return sha256Hex(Buffer.from(payload, 'base64'));
}

/** Each of these is shown the proposal, and somebody there approves it. Returns the approvals in site order. */
export async function approveBy(consortium: ScriptedConsortium, proposal: DsseEnvelope, sites: readonly string[]): Promise<DsseEnvelope[]> {
  const { run } = consortium;
  for (const site of sites) {
    const member = consortium.member(site);
    await approveNewSet(member, { run, proposal });
    member.journal.newSets.decide(digestOf(proposal), 'approved', '');
    await approveNewSet(member, { run, proposal });
  }
  return approvalsOf(consortium, proposal);
}

export function approvalsOf(consortium: ScriptedConsortium, proposal: DsseEnvelope): DsseEnvelope[] {
  const found = new Map<string, DsseEnvelope>();
  for (const envelope of consortium.board.all('new-set-approved')) {
    const { predicate } = peekStatement(envelope) as { predicate: Predicate<'new-set-approved'> };
    if (predicate.proposal === digestOf(proposal)) found.set(predicate.site, envelope);
  }
  return [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, envelope]) => envelope);
}

/** An approval as somebody signs it who has this site's key. */
export function forgedApproval(
  proposal: DsseEnvelope,
  site: string,
  identity: Identity,
  change: Partial<Predicate<'new-set-approved'>> = {},
): DsseEnvelope {
  const { consortium, run, e, kind, sum, before, after } = peekStatement(proposal).predicate as Proposed;
  return signStatement(
    'new-set-approved',
    { consortium, run, e, kind, sum, site, proposal: digestOf(proposal), before, after, ...change },
    identity,
  );
}
