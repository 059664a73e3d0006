import { bytesToHex, generateSealingKey } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLedger, statementsOf } from '../cli/ledger.reader.js';
import { TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import type { ScriptedSite } from '../testing/scripted-site.fixture.js';

describe('a key epoch', () => {
  const coordinator = new TestCoordinator();
  let sites: ScriptedSite[];
  let run: string;
  const key = bytesToHex(generateSealingKey().publicKey);
  const inEpoch = () => ({ consortium: 'scripted', run, epoch: 1 });

  beforeAll(async () => {
    await coordinator.start();
    sites = await coordinator.join('alpha', 'beta', 'gamma');
    run = await coordinator.launch();
  });
  afterAll(async () => {
    for (const site of sites) site.calls.close();
    await coordinator.remove();
  });

  it('cannot be left before it has begun', async () => {
    const [alpha] = sites as [ScriptedSite];
    const left = alpha.submit('epoch-left', { ...inEpoch(), site: 'alpha', reason: 'restored' });
    await expect(left).rejects.toMatchObject({ code: 'not-owed' });
  });

  it.each([
    ['a point of low order', '0'.repeat(64) + key.slice(64), /low order/],
    ['a coefficient above the modulus', `${key.slice(0, 64)}ffff${key.slice(68)}`, /FIPS 203/],
  ])('takes no sealing key with %s, and says so to its site', async (_, bad, message) => {
    await workUntil(sites, async () => (await coordinator.run(run)).state === 'key-ceremony');
    const [waiting] = (await coordinator.run(run)).waitingFor;
    const site = sites.find((candidate) => candidate.site === waiting)!;
    const offered = site.submit('sealing-key', { ...inEpoch(), site: site.site, key: bad });
    await expect(offered).rejects.toMatchObject({ code: 'malformed', message: expect.stringMatching(message) });
    expect((await coordinator.run(run)).waitingFor).toContain(waiting);
  });

  it('is left for good by a site that says so: the operator hears what to do, and nothing more is asked of the site in its sums', async () => {
    const [alpha, beta, gamma] = sites as [ScriptedSite, ScriptedSite, ScriptedSite];
    await workUntil(sites, async () => (await coordinator.run(run)).rounds.length > 0);
    const left = { ...inEpoch(), site: 'gamma', reason: 'restored' as const };
    await expect(gamma.submit('epoch-left', { ...left, epoch: 2 })).rejects.toMatchObject({ code: 'other-epoch' });
    await expect(alpha.submit('epoch-left', left)).rejects.toMatchObject({ code: 'forbidden' });
    expect(await gamma.submit('epoch-left', left)).toBe(await gamma.submit('epoch-left', left));
    const status = await coordinator.run(run);
    expect(status.whatToDo).toMatch(`gamma restored a data folder from a backup and can do nothing more in key epoch 1. Start a new one`);
    expect(status.whatToDo).toContain(`coferment epochs renew ${run}`);
    const inSums = (kinds: string[]) => kinds.filter((kind) => kind === 'prepareSum' || kind === 'encrypt');
    expect(inSums(await gamma.work())).toEqual([]);
    // The other one may have sent its nonce while the sums were being opened.
    expect(inSums(await beta.work())).toHaveLength(1);
    const names = statementsOf(await readLedger(coordinator.operator)).map(({ name }) => name);
    expect(names.filter((name) => name === 'epoch-left')).toHaveLength(1);
  });
});
