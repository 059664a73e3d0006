import { join } from 'node:path';
import { parsePlan } from '@coferment/consortium';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { computeAgreement } from '../../demo/src/consortium/out-of-band.check.js';
import { serve } from '../../client-agent/src/rounds/agent.service.js';
import type { AgentEvent } from '../../client-agent/src/rounds/site.context.js';
import { Journal } from '../../client-agent/src/journal/journal.js';
import { openSiteIdentity } from '../../client-agent/src/keys/site.identity.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { AuthorityRollover } from '../../coordinator/src/certificates/authority.rollover.js';
import { RunViews } from '../../coordinator/src/runs/run.views.js';
import { RenewalService } from '../../coordinator/src/certificates/renewal.service.js';
import { PLAN_TEXT, TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import { SMALL_SITE, writePlantedRecords } from '../sovereignty/planted.records.js';
import { JoinedAgent, PASSPHRASE } from './joined.agent.fixture.js';

const FULL = process.env['SOVEREIGNTY_FULL'] === '1';
const SITES = ['alder', 'birch', 'cedar'];
const plan = PLAN_TEXT.replace('rounds: 1', 'rounds: 2');

const coordinator = new TestCoordinator();
const agents: JoinedAgent[] = [];
const events: AgentEvent[] = [];
const stop = new AbortController();
const serving: Promise<void>[] = [];
const renewed: string[] = [];

beforeAll(async () => {
  if (!FULL) return;
  await coordinator.start();
  const renewals = coordinator.running.context.get(RenewalService);
  const renew = renewals.renew.bind(renewals);
  vi.spyOn(renewals, 'renew').mockImplementation((call) => {
    renewed.push(call.site);
    return renew(call);
  });
  for (const site of SITES) {
    agents.push(await JoinedAgent.join(await coordinator.invite(site)));
  }
});
afterAll(async () => {
  stop.abort();
  await Promise.allSettled(serving);
  if (FULL) await coordinator.remove();
});

function approve(agent: JoinedAgent, agreement: { plan: string; fingerprint: string }): void {
  const { identity } = openSiteIdentity(agent.store);
  const journal = Journal.open(join(agent.folder, 'journal.sqlite'), { identity, vault: agent.store });
  journal.approvals.decidePlan(agreement.plan, 1, 'approved');
  journal.approvals.approveRoster(agreement.fingerprint);
  journal.close();
}

function begin(agent: JoinedAgent): Promise<void> {
  const recordsFolder = temporaryFolder('records');
  const mappingFile = writePlantedRecords(recordsFolder, agent.member.site, SMALL_SITE);
  const input = { folder: agent.folder, passphrase: PASSPHRASE, mappingFile, recordsFolder, pollWaitMs: 300, backend: 'cpu' as const };
  return serve(input, { serving: () => undefined, event: (event) => void events.push(event), probed: () => undefined }, stop.signal);
}

/**
 * Real agents, and a new word on the authorities in every phase of the run: each time all three renew, whatever they are doing. It takes a minute, so only
 * the full run has it; the same with scripted sites is in every one.
 */
it.runIf(FULL)(
  'a run of real agents does not notice that they renew in each of its phases',
  async () => {
    const keys = new Map(agents.map(({ member }) => [member.site, member.identityKey]));
    const agreement = computeAgreement(parsePlan(plan), keys);
    for (const agent of agents) approve(agent, agreement);
    const run = await coordinator.launch(plan);
    for (const agent of agents) serving.push(begin(agent));
    const { context } = coordinator.running;
    const view = () => context.get(RunViews).load(run);
    const rollover = context.get(AuthorityRollover);
    const slow = { timeout: 250_000, interval: 100 };
    const taken = (sequence: number) =>
      vi.waitFor(() => expect(agents.map(({ member }) => member.authorities)).toEqual(SITES.map(() => sequence)), slow);

    await vi.waitFor(async () => expect((await view()).run.state).toBe('key-ceremony'), slow);
    await rollover.roll();
    await taken(1);
    await vi.waitFor(async () => expect((await view()).rounds.some(({ kind }) => kind === 'confirm')).toBe(true), slow);
    await rollover.retire(true);
    await taken(2);
    await vi.waitFor(async () => expect((await view()).rounds.some(({ kind }) => kind === 'update')).toBe(true), slow);
    await rollover.roll();
    await vi.waitFor(async () => expect((await view()).run.state).toBe('completed'), slow);
    await taken(3);
    // Nobody was late, absent or asked twice because of a certificate.
    for (const { counted, excluded, attempt, kind } of (await view()).rounds.filter((round) => round.kind !== 'confirm'))
      expect({ kind, counted, excluded, attempt }).toEqual({ kind, counted: SITES, excluded: [], attempt: 1 });
    for (const site of SITES) expect(renewed.filter((name) => name === site).length).toBe(3);
    expect(events.filter(({ event }) => event === 'refused')).toEqual([]);
  },
  300_000,
);
