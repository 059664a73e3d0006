import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ask } from '../cli/operator.client.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { CertifiedSite } from '../testing/certified-site.fixture.js';
import { RunViews } from '../runs/run.views.js';
import { TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import { ScriptedSite } from '../testing/scripted-site.fixture.js';
import { AuthorityRollover } from './authority.rollover.js';

const SITES = ['alpha', 'beta', 'gamma'];
const good = { instructions: [] };
const coordinator = new TestCoordinator();
/** Joins after the run, in which every enrolled site takes part. */
let alder: CertifiedSite;

beforeAll(() => coordinator.start());
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  alder.close();
  await coordinator.remove();
});

describe('a run', () => {
  it('completes while its sites renew again and again, and the authority rolls over and is retired on the way', async () => {
    const rollover = coordinator.running.context.get(AuthorityRollover);
    const changes = [() => rollover.roll(), () => rollover.retire(true), () => rollover.roll(), () => rollover.retire(true)];
    const sites: ScriptedSite[] = [];
    const certified: CertifiedSite[] = [];
    for (const site of SITES) {
      const invite = await coordinator.invite(site);
      const holder = await CertifiedSite.join(invite);
      // One identity joins twice, which is allowed; the certificate before is thrown away.
      sites.push(await ScriptedSite.join(invite, holder.identity));
      certified.push(holder);
    }
    const run = await coordinator.launch();
    let turns = 0;
    const renewing = sites.map((site, index) => ({
      work: async () => {
        turns += 1;
        if (turns % 15 === 0) await changes.shift()?.();
        if (turns % 4 === 0) {
          const before = await certified[index]!.renew();
          // Every other time it works on with the pair from before, as an agent does with what it has begun.
          site.calls.close();
          site.calls = certified[index]!.calls(turns % 8 === 0 ? before : certified[index]!.pair);
        }
        return site.work().catch(async (error: { code?: string }) => {
          // Retired under its hands: it is told so, and comes back with the pair that it has renewed meanwhile.
          if (error.code !== 'unauthenticated') throw error;
          await certified[index]!.renew();
          site.calls = certified[index]!.calls();
          return site.work();
        });
      },
    }));
    await workUntil(renewing as unknown as ScriptedSite[], () => sites.every((site) => site.closed));
    expect(changes).toEqual([]);
    const status = await coordinator.running.context.get(RunViews).load(run);
    expect(status.run.state).toBe('completed');
    for (const { counted, excluded, attempt, kind } of status.rounds.filter((round) => round.kind !== 'confirm'))
      expect({ kind, counted, excluded, attempt }).toEqual({ kind, counted: SITES, excluded: [], attempt: 1 });
    for (const site of certified) site.close();
    for (const { calls } of sites) calls.close();
    await coordinator.reconnect();
    alder = await CertifiedSite.join(await coordinator.invite('alder'));
  });
});

describe('a renewal', () => {
  it('leaves the certificate before it good for ten minutes', async () => {
    const old = alder.calls(await alder.renew());
    const fresh = alder.calls();
    for (const calls of [old, fresh]) await expect(calls.poll([], '', 0)).resolves.toMatchObject(good);
    const { now } = Date;
    vi.spyOn(Date, 'now').mockImplementation(() => now() + 601_000);
    await expect(old.poll([], '', 0)).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(fresh.poll([], '', 0)).resolves.toMatchObject(good);
  });

  it('twice over leaves only the one before good', async () => {
    const first = await alder.renew();
    const second = await alder.renew();
    await expect(alder.calls(first).poll([], '', 0)).rejects.toMatchObject({ code: 'unauthenticated' });
    await expect(alder.calls(second).poll([], '', 0)).resolves.toMatchObject(good);
  });

  it('that was recorded is not answered again, nor an older one: neither displaces the newest certificate', async () => {
    const early = await alder.renewal(Date.now() - 1000);
    const recorded = await alder.renewal();
    await alder.send(recorded.call);
    await expect(alder.send(recorded.call)).rejects.toMatchObject({ code: 'renewal-replayed', message: expect.stringContaining('alder') });
    await expect(alder.send(early.call)).rejects.toMatchObject({ code: 'renewal-replayed' });
    await alder.renew();
    await expect(alder.send(recorded.call)).rejects.toMatchObject({ code: 'renewal-replayed' });
    await expect(alder.calls().poll([], '', 0)).resolves.toMatchObject(good);
  });

  it('by another key, of another site or with a time that was changed is refused', async () => {
    const birch = await CertifiedSite.join(await coordinator.invite('birch'));
    const { call } = await birch.renewal();
    await expect(birch.send({ ...call, site: 'alder' })).rejects.toMatchObject({ code: 'bad-signature' });
    await expect(birch.send({ ...call, agentTimeMs: call.agentTimeMs + 1 })).rejects.toMatchObject({ code: 'bad-signature' });
    const other = await birch.renewal();
    await expect(birch.send({ ...call, certificateRequest: other.call.certificateRequest })).rejects.toMatchObject({
      code: 'bad-signature',
    });
    await expect(birch.send({ ...call, site: 'nobody' })).rejects.toMatchObject({ code: 'bad-signature' });
    birch.close();
  });

  it('is refused to a revoked site, and what it held before opens nothing', async () => {
    const cedar = await CertifiedSite.join(await coordinator.invite('cedar'));
    const before = await cedar.renew();
    const { operator } = coordinator.operator;
    await ask(operator.revokeSite.bind(operator), { site: 'cedar', reason: 'test' });
    await expect(cedar.renew()).rejects.toMatchObject({ code: 'site-revoked' });
    for (const pair of [before, cedar.pair])
      await expect(cedar.calls(pair).poll([], '', 0)).rejects.toMatchObject({ code: 'site-revoked' });
    cedar.close();
  });
});

describe('a retired authority', () => {
  it('opens nothing, also on a connection that was made while it was believed', async () => {
    const { context } = coordinator.running;
    await alder.renew();
    const open = alder.calls();
    await expect(open.poll([], '', 0)).resolves.toMatchObject(good);
    const { operator } = coordinator.operator;
    await ask(operator.rollAuthority.bind(operator), {});
    await expect(open.poll([], '', 0)).resolves.toMatchObject(good);
    await ask(operator.retireAuthority.bind(operator), { force: true });
    expect(context.get(ConsortiumIdentity).authorities.certificates).toHaveLength(1);
    await expect(open.poll([], '', 0)).rejects.toMatchObject({ code: 'unauthenticated' });
    await alder.renew();
    await expect(alder.calls().poll([], '', 0)).resolves.toMatchObject(good);
  });
});
