import { ObjectPurpose, type UploadResponse } from '@coferment/proto';
import type { ServiceError } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { ask, refusal } from '../cli/operator.client.js';
import { ObjectService } from '../objects/object.service.js';
import { Database } from '../persistence/database.js';
import { Presence } from '../rounds/presence.js';
import { CertifiedSite } from '../testing/certified-site.fixture.js';
import { TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import { ScriptedSite } from '../testing/scripted-site.fixture.js';
import type { SiteCalls } from '../testing/site-calls.fixture.js';

const coordinator = new TestCoordinator();
beforeAll(() => coordinator.start());
afterEach(() => vi.restoreAllMocks());
afterAll(() => coordinator.remove());

const revoked = { code: 'site-revoked' };

/** As another coordinator on the same database would: nothing in this process is told. */
async function changedElsewhere(site: string, state: string): Promise<void> {
  const { context } = coordinator.running;
  await context.get(Database).transaction((manager) => manager.query('UPDATE site SET state = $1 WHERE site = $2', [state, site]));
}

/** An upload whose end is not in sight. */
function beginUpload(calls: SiteCalls, header: { digest: string; size: number; purpose: ObjectPurpose; run: string }, bytes: Uint8Array) {
  const { promise, resolve, reject } = Promise.withResolvers<UploadResponse>();
  const stream = calls.uploads.upload((error: ServiceError | null, response) =>
    error === null ? resolve(response) : reject(refusal(error)),
  );
  stream.on('error', () => {});
  promise.catch(() => {});
  stream.write({ part: { $case: 'header', header: { ...header, offset: 0 } } });
  stream.write({ part: { $case: 'chunk', chunk: Buffer.from(bytes) } });
  return { answer: promise, stream };
}

/** Works until the site is asked to encrypt, and leaves that undone. */
async function untilUploading(site: ScriptedSite, others: readonly ScriptedSite[]) {
  const follow = site.follow.bind(site);
  let asked: Parameters<ScriptedSite['contribution']> | undefined;
  site.follow = async (kind) => {
    if (kind.$case !== 'encrypt') return follow(kind);
    asked = [kind.encrypt.name!, kind.encrypt.nonces];
  };
  await workUntil([site, ...others], () => asked !== undefined);
  return site.contribution(...asked!);
}

describe('a site that is revoked in the middle of a round', () => {
  it('sends not one more chunk of its upload, and finds every new connection closed', async () => {
    const sites = await coordinator.join('alpha', 'beta', 'gamma');
    const [alpha, ...others] = sites as [ScriptedSite, ...ScriptedSite[]];
    const run = await coordinator.launch();
    const { bytes, predicate } = await untilUploading(alpha, others);
    const half = bytes.subarray(0, Math.floor(bytes.length / 2));
    const { answer, stream } = beginUpload(
      alpha.calls,
      { digest: predicate.object, size: bytes.length, purpose: ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, run },
      half,
    );
    await vi.waitFor(async () => expect(await alpha.calls.uploadState(predicate.object)).toMatchObject({ received: half.length }), 20_000);
    const { operator } = coordinator.operator;
    await ask(operator.revokeSite.bind(operator), { site: 'alpha', reason: 'test' });
    await expect(answer).rejects.toMatchObject(revoked);
    stream.write({ part: { $case: 'chunk', chunk: Buffer.from(bytes.subarray(half.length)) } });
    stream.end();
    const objects = coordinator.running.context.get(ObjectService);
    expect(await objects.uploadState('alpha', predicate.object)).toEqual({ received: half.length, complete: false });
    await expect(alpha.submit('contribution', predicate)).rejects.toMatchObject(revoked);
    for (const { calls } of sites) calls.close();
  });
});

describe('a membership that another process has ended', () => {
  it('ends a poll that is held', async () => {
    const delta = await CertifiedSite.join(await coordinator.invite('delta'));
    const calls = delta.calls();
    const { owed } = await calls.poll([], '', 0);
    const held = calls.poll([], owed, 20_000);
    await vi.waitFor(() => expect(coordinator.running.context.get(Presence).of(delta.member).held).toBe(1), 20_000);
    await changedElsewhere('delta', 'revoked');
    // Not only when its time is over, which is what the poll itself would do.
    await expect(held).rejects.toMatchObject({ ...revoked, message: expect.stringContaining('this call has been ended') });
    await expect(delta.calls().poll([], '', 0)).rejects.toMatchObject(revoked);
    delta.close();
  });

  it('ends a download, and nobody goes on reading the object', async () => {
    const epsilon = await CertifiedSite.join(await coordinator.invite('epsilon'));
    const ended = vi.fn<() => void>();
    const endless = async function* () {
      try {
        for (;;) {
          await new Promise((turn) => setTimeout(turn, 20));
          yield Buffer.alloc(1000);
        }
      } finally {
        ended();
      }
    };
    vi.spyOn(ObjectService.prototype, 'download').mockResolvedValue({ size: 2 ** 30, purpose: 'ciphertext' as const, chunks: endless() });
    const stream = epsilon.calls().downloads.download({ digest: 'a'.repeat(64), offset: 0, length: 0 });
    const over = new Promise((_, reject) => stream.on('error', (error) => reject(refusal(error as ServiceError))));
    over.catch(() => {});
    await new Promise((turn) => stream.once('data', turn));
    stream.on('data', () => {});
    await changedElsewhere('epsilon', 'left');
    await expect(over).rejects.toMatchObject({ ...revoked, message: expect.stringContaining('left') });
    await vi.waitFor(() => expect(ended).toHaveBeenCalled(), 20_000);
    epsilon.close();
  });
});

describe('a membership that goes on', () => {
  it('keeps its calls while its certificate is renewed and another site is revoked', async () => {
    const zeta = await CertifiedSite.join(await coordinator.invite('zeta'));
    const eta = await CertifiedSite.join(await coordinator.invite('eta'));
    const calls = zeta.calls();
    const { owed } = await calls.poll([], '', 0);
    // Longer than two looks at who is still a member.
    const held = calls.poll([], owed, 2500);
    await zeta.renew();
    await changedElsewhere('eta', 'revoked');
    await expect(held).resolves.toMatchObject({ owed });
    zeta.close();
    eta.close();
  });
});

describe("another site's certificate", () => {
  it('carries no statement of this one, whoever signed it', async () => {
    const [theta, iota] = (await coordinator.join('theta', 'iota')) as [ScriptedSite, ScriptedSite];
    const plan = 'a'.repeat(64);
    const act = theta.sign('plan-approved', { consortium: 'scripted', site: 'theta', plan, ordinal: 1, sites: ['iota', 'theta'] });
    await expect(iota.calls.submit(act, 'plan-approved')).rejects.toMatchObject({ code: 'bad-signature' });
    const forged = iota.sign('plan-approved', { consortium: 'scripted', site: 'theta', plan, ordinal: 1, sites: ['iota', 'theta'] });
    await expect(iota.calls.submit(forged, 'plan-approved')).rejects.toMatchObject({ code: 'forbidden' });
    for (const { calls } of [theta, iota]) calls.close();
  });
});
