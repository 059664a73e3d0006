/*
 * Case 15 at the coordinator. An enrolled site replays every signature at every moment of a run: as another act, for another run, epoch, sum, attempt, K or T,
 * through another call, and those of another site as its own. What was taken by mistake would stand in the ledger as an act of a member.
 */
import { type Predicate, type PredicateName, peekStatement, planDigest, predicates, signStatement } from '@coferment/consortium';
import { type DsseEnvelope, generateIdentity } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toWire } from '../../../coordinator/src/agent-port/envelope.codec.js';
import { ask } from '../../../coordinator/src/cli/operator.client.js';
import { TestCoordinator, workUntil } from '../../../coordinator/src/testing/coordinator.fixture.js';
import type { ScriptedSite } from '../../../coordinator/src/testing/scripted-site.fixture.js';
import { failureOf } from './attacked.consortium.fixture.js';
import { another, DIGEST, everyStatement, names } from './every.statement.fixture.js';

/** What a site sends of its own accord in a whole run, and which of its fields are the site's to choose. */
const sent = {
  'plan-approved': [],
  'sealing-key': ['key'],
  'roster-approved': [],
  dealing: ['commitments'],
  'dealing-ack': [],
  'epoch-agreed': [],
  nonce: ['nonce'],
  contribution: ['sampleCommitment', 'batchCommitment', 'dataReportCommitment', 'backend'],
  attestation: [],
  share: [],
} as const satisfies { [N in PredicateName]?: readonly (keyof Predicate<N>)[] };
type Sent = keyof typeof sent;

/** A site may always say these of itself, so a valid one is no forgery. */
const OF_ITS_OWN_WILL: readonly PredicateName[] = ['attempt-declined', 'epoch-left', 'instruction-refused', 'site-left', 'witness-key'];
const OF_NO_RUN: readonly PredicateName[] = ['site-left', 'witness-key'];

describe('every act of a site in a run', () => {
  const coordinator = new TestCoordinator();
  let sites: ScriptedSite[];
  let run: string;
  let cells = 0;
  const replayed: Partial<Record<Sent, number>> = {};
  const wrong: string[] = [];
  const earlier: DsseEnvelope[] = [];

  beforeAll(async () => {
    await coordinator.start();
    sites = await coordinator.join('alpha', 'beta', 'gamma');
    run = await coordinator.launch();
  });
  afterAll(async () => {
    for (const site of sites) site.calls.close();
    await coordinator.remove();
  });

  async function refused(site: ScriptedSite, what: string, envelope: DsseEnvelope, call: PredicateName): Promise<void> {
    cells += 1;
    // The very act that it signed before is answered as it was then.
    const { digest } = peekStatement(envelope);
    if (site.site === 'alpha' && earlier.some((act) => peekStatement(act).digest === digest)) return;
    const { code } = await failureOf(site.calls.submit(envelope, call));
    if (['no refusal', 'no code', 'internal', 'unreachable'].includes(code)) wrong.push(`${what}: ${code}`);
  }

  /** Everything else first, then the act itself. */
  async function attacked(alpha: ScriptedSite, beta: ScriptedSite, envelope: DsseEnvelope): Promise<void> {
    const { name, predicate } = peekStatement(envelope) as { name: Sent; predicate: Record<string, unknown> };
    replayed[name] = (replayed[name] ?? 0) + 1;
    await coordinator.rest(run);
    const before = await coordinator.run(run);
    const { sum = 1, kind = 'update' } = predicate as { sum?: number; kind?: 'update' };
    const plan = alpha.plan === undefined ? DIGEST : planDigest(alpha.plan);
    const ids = ['alpha', 'beta', 'gamma'];
    const here = {
      consortium: 'scripted',
      run,
      plan,
      sites: ids,
      e: alpha.e || DIGEST,
      e0: alpha.e0 || DIGEST,
      sum,
      kind,
      key: '1'.repeat(2432),
    };
    const every = everyStatement(here, 'alpha');
    for (const other of names)
      if (other !== name && !OF_ITS_OWN_WILL.includes(other))
        await refused(alpha, `a ${other} for a ${name}`, signStatement(other, every[other], alpha.identity), other);
    for (const own of OF_ITS_OWN_WILL) {
      // What is of no run is of one consortium.
      const elsewhere = OF_NO_RUN.includes(own) ? { ...every[own], consortium: 'other' } : { ...every[own], run: `r9-${'0'.repeat(16)}` };
      await refused(alpha, `an ${own} of elsewhere for a ${name}`, signStatement(own, elsewhere as never, alpha.identity), own);
    }
    for (const field of Object.keys(predicates[name].shape)) {
      if ((sent[name] as readonly string[]).includes(field)) continue;
      const changed = { ...predicate, [field]: another(field, predicate[field], here) };
      await refused(alpha, `a ${name} of another ${field}`, signStatement(name, changed as never, alpha.identity), name);
    }
    await refused(alpha, `a ${name} signed by nobody known`, signStatement(name, predicate as never, generateIdentity()), name);
    await refused(beta, `the ${name} of another site`, envelope, name);
    for (const old of earlier.slice(-3)) {
      const stale = peekStatement(old);
      await refused(beta, `an old ${stale.name} of another site`, old, stale.name);
    }
    for (const call of ['nonce', 'share', 'dealing'] as const)
      if ((call === 'dealing') === (name === 'nonce' || name === 'share') && call !== (name as string))
        await refused(alpha, `a ${name} through the call for a ${call}`, envelope, call);
    expect(await coordinator.run(run)).toEqual(before);
    earlier.push(envelope);
  }

  it('is refused in every other form, and changes nothing', async () => {
    const [alpha, beta] = sites as [ScriptedSite, ScriptedSite];
    const { calls } = alpha;
    const submit = calls.submit.bind(calls);
    const intercepted: typeof submit = async (envelope, name) => {
      // Twice of each kind of act is enough: the first, and one when there is something to replay.
      if ((replayed[name as Sent] ?? 0) < 2) {
        calls.submit = submit;
        await attacked(alpha, beta, envelope);
        calls.submit = intercepted;
      }
      return submit(envelope, name);
    };
    calls.submit = intercepted;
    await workUntil(sites, async () => {
      await coordinator.rest(run);
      return Object.keys(sent).every((name) => (replayed[name as Sent] ?? 0) > 0);
    });
    expect(wrong).toEqual([]);
    // Every act that a site sends was met, and against each: all other statements, all fields that bind it, and other signers.
    expect(Object.keys(replayed).toSorted()).toEqual(Object.keys(sent).toSorted());
    const leastForOne = (name: Sent) => names.length - 1 + Object.keys(predicates[name].shape).length - sent[name].length + 2;
    expect(cells).toBeGreaterThanOrEqual((Object.keys(sent) as Sent[]).reduce((count, name) => count + leastForOne(name), 0));
  });

  it('is taken as it is, also twice, and in no second form', async () => {
    const [alpha] = sites as [ScriptedSite];
    const last = earlier.at(-1)!;
    const { name, digest } = peekStatement(last);
    expect(await alpha.calls.submit(last, name)).toBe(digest);
    const { statements } = alpha.calls;
    const empty = { payload: Buffer.alloc(0), keyid: '', signature: Buffer.alloc(0) };
    for (const statement of [empty, { ...toWire(last), signature: Buffer.alloc(63) }, { ...toWire(last), keyid: 'x' }])
      expect(await failureOf(ask(statements.submitStatement.bind(statements), { statement }))).toMatchObject({ code: 'malformed' });
  });
});
