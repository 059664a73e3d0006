import { bytesToHex } from '@coferment/crypto';
import { type Predicate, parseStatement } from '@coferment/consortium';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { ask } from '../cli/operator.client.js';
import { PublicationService } from '../publication/publication.service.js';
import { TestCoordinator } from '../testing/coordinator.fixture.js';
import type { ScriptedSite } from '../testing/scripted-site.fixture.js';
import { ActService } from './act.service.js';
import { RunQueue } from './run.queue.js';
import { RunViews } from './run.views.js';

/* Between the gate, which lets an act in, and the ledger, which takes it, its signer may be revoked: the objects that it names are read meanwhile. */
const coordinator = new TestCoordinator();
let sites: ScriptedSite[];
let run: string;

beforeAll(async () => {
  await coordinator.start();
  sites = await coordinator.join('alpha', 'beta', 'gamma');
  run = await coordinator.launch();
});
afterEach(() => vi.restoreAllMocks());
afterAll(async () => {
  for (const { calls } of sites) calls.close();
  await coordinator.remove();
});

it('an act whose signer was revoked on its way comes into no ledger', async () => {
  const { context } = coordinator.running;
  const [alpha] = sites as [ScriptedSite];
  const view = await context.get(RunViews).load(run);
  const { plan, ordinal } = view.run;
  const act = alpha.sign('plan-approved', { consortium: 'scripted', site: 'alpha', plan, ordinal, sites: view.run.sites });
  const queue = context.get(RunQueue);
  const inTurn = queue.inTurn.bind(queue);
  vi.spyOn(queue, 'inTurn').mockImplementationOnce(async (named, work) => {
    const { operator } = coordinator.operator;
    await ask(operator.revokeSite.bind(operator), { site: 'alpha', reason: 'test' });
    return inTurn(named, work);
  });
  await expect(context.get(ActService).submit('alpha', act, ['plan-approved'])).rejects.toMatchObject({ code: 'site-revoked' });

  const entries = await context.get(PublicationService).entries(0, 256);
  const alphas = entries
    .map(({ payload }) => parseStatement(payload))
    .filter(({ predicate }) => 'site' in predicate && (predicate as Predicate<'site-enrolled'>).site === 'alpha');
  expect(alphas.map(({ name }) => name)).toEqual(['site-enrolled', 'site-revoked']);
  expect(alphas[0]!.predicate).toMatchObject({ identityKey: bytesToHex(alpha.identity.publicKey) });
});
