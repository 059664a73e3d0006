import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ask } from '../cli/operator.client.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { CertifiedSite } from '../testing/certified-site.fixture.js';
import { TestCoordinator } from '../testing/coordinator.fixture.js';

const good = { instructions: [] };
const coordinator = new TestCoordinator();
let alder: CertifiedSite;

beforeAll(async () => {
  await coordinator.start();
  alder = await CertifiedSite.join(await coordinator.invite('alder'));
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  alder.close();
  await coordinator.remove();
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
    await expect(birch.send({ ...call, site: 'nobody' })).rejects.toMatchObject({ code: 'unknown-site' });
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
