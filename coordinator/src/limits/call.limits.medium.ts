import { once } from 'node:events';
import { WIRE_VERSION, parseInvite } from '@coferment/consortium';
import { EnrolmentServiceClient, ObjectPurpose } from '@coferment/proto';
import { Metadata, type ServiceError, credentials, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { RETRY_AFTER_KEY } from '../agent-port/error.status.js';
import { ask, refusal } from '../cli/operator.client.js';
import { CoordinatorError } from '../errors/index.js';
import { PublicationService } from '../publication/publication.service.js';
import { ObjectService } from '../objects/object.service.js';
import { UploadQuota } from '../objects/upload.quota.js';
import { Presence } from '../rounds/presence.js';
import { TestCoordinator } from '../testing/coordinator.fixture.js';
import { joinCall } from '../testing/site-calls.fixture.js';
import { CallAllowance } from './call.allowance.js';
import { limitsSchema } from './coordinator.limits.js';

/** A start takes seconds, so all share one; each test has sites of its own, and strangers come last because they share an address. */
const coordinator = new TestCoordinator({
  limits: limitsSchema.parse({
    caller: { callsPer10s: 60, callsAtOnce: 5 },
    site: { pollsHeld: 2, uploadsAtOnce: 2 },
    stranger: { callsPerMinute: 40, refusedPer10Min: 4 },
  }),
});
beforeAll(() => coordinator.start());
afterAll(() => coordinator.remove());

const allowance = () => coordinator.running.context.get(CallAllowance);
const codeOf = (error: unknown) => (error as CoordinatorError).code;
const many = <T>(times: number, work: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: times }, (_, index) => work(index).then(() => 'ok', codeOf)));
const site = async (name: string) => (await coordinator.join(name))[0]!;

function helloer(invite: string) {
  const { coordinator: address, serverName, caCertificate } = parseInvite(invite);
  return new EnrolmentServiceClient(address, credentials.createSsl(Buffer.from(caCertificate)), {
    'grpc.ssl_target_name_override': serverName,
    'grpc.default_authority': serverName,
  });
}

describe('a site that calls too often', () => {
  it('is told after how long to try again, and the others do not notice', async () => {
    const [alpha, beta] = [await site('alpha'), await site('beta')];
    const answers: string[] = [];
    for (let call = 0; call < 70; call++) answers.push(...(await many(1, () => alpha.calls.uploadState('a'.repeat(64)))));
    expect(answers.filter((answer) => answer === 'ok').length).toBeGreaterThanOrEqual(60);
    expect(answers).toContain('too-many');
    expect(await beta.calls.uploadState('a'.repeat(64))).toMatchObject({ complete: false });
    const error = await new Promise<ServiceError>((resolve) => {
      alpha.calls.uploads.getUpload({ digest: 'a'.repeat(64) }, new Metadata(), (refused) => resolve(refused!));
    });
    expect(error.code).toBe(status.RESOURCE_EXHAUSTED);
    expect(error.details).toMatch(/More than 60 calls in ten seconds.*Nothing was done; try again in \d+ s/);
    const retryMs = Number(error.metadata.get(RETRY_AFTER_KEY)[0]);
    expect(retryMs).toBeGreaterThan(0);
    expect(retryMs).toBeLessThanOrEqual(10_000);
  });

  it('has no more calls under way than it may, and each ended call makes room', async () => {
    const gamma = await site('gamma');
    const { ledger } = gamma.calls;
    const { size } = coordinator.running.context.get(PublicationService);
    const held = () => many(8, () => ask(ledger.awaitCheckpoint.bind(ledger), { oldSize: size, waitMs: 600 }));
    const answers = ['ok', 'ok', 'ok', 'ok', 'ok', 'too-many', 'too-many', 'too-many'];
    expect((await held()).toSorted()).toEqual(answers);
    await vi.waitFor(() => expect(allowance().underWay).toBe(0));
    expect((await held()).toSorted()).toEqual(answers);
  });
});

describe('a site with many polls', () => {
  it('keeps the newest: the oldest is ended with a reason, and is not counted as held', async () => {
    const delta = await site('delta');
    const { owed } = await delta.calls.poll([], '', 0);
    const presence = coordinator.running.context.get(Presence);
    const first = delta.calls.poll([], owed, 15_000).catch((error: unknown) => error);
    await vi.waitFor(() => expect(presence.of(delta.member).held).toBe(1));
    const rest = many(2, () => delta.calls.poll([], owed, 1500));
    expect(await first).toMatchObject({ code: 'too-many', message: expect.stringContaining('2 newer polls') });
    await vi.waitFor(() => expect(presence.of(delta.member).held).toBe(2));
    expect(await rest).toEqual(['ok', 'ok']);
    expect(presence.of(delta.member).held).toBe(0);
    await vi.waitFor(() => expect(allowance().underWay).toBe(0));
  });
});

describe('a site with many uploads', () => {
  it('may have so many under way, and one that is given up makes room', async () => {
    const epsilon = await site('epsilon');
    const open = () => Array.from({ length: 2 }, () => epsilon.calls.uploads.upload(() => {}).on('error', () => {}));
    const streams = open();
    await vi.waitFor(() => expect(() => allowance().upload('epsilon')()).toThrow('2 uploads of "epsilon" are under way'));
    const header = { digest: 'c'.repeat(64), size: 75, offset: 0, purpose: ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, run: 'r' };
    await expect(epsilon.calls.send(header, new Uint8Array(75))).rejects.toMatchObject({ code: 'too-many' });
    for (const stream of streams) stream.cancel();
    await vi.waitFor(() => expect(() => allowance().upload('epsilon')()).not.toThrow());
    await expect(epsilon.calls.send(header, new Uint8Array(75))).rejects.toMatchObject({ code: 'unknown-run' });
  });
});

describe('a slow side', () => {
  const MIB = 2 ** 20;
  /** grpc-js holds 16 messages at either end, here 4 MiB each; the rest is HTTP/2 and TCP. Without back-pressure it would be all that is sent. */
  const MOST_BUFFERED = 12 * MIB;
  const SENT = 48 * MIB;
  afterEach(() => vi.restoreAllMocks());

  it('of an upload slows its sender: what was sent and not stored does not pile up', async () => {
    const [slow] = await coordinator.join('slow-store');
    let stored = 0;
    vi.spyOn(UploadQuota.prototype, 'require').mockResolvedValue();
    vi.spyOn(ObjectService.prototype, 'upload').mockImplementation(async (_member, _part, chunks) => {
      for await (const chunk of chunks) {
        stored += chunk.length;
        await new Promise((turn) => setTimeout(turn, 5));
      }
      return { received: stored, complete: true };
    });
    const { promise: ended, resolve } = Promise.withResolvers<unknown>();
    const stream = slow!.calls.uploads.upload((error) => resolve(error)).on('error', () => {});
    const purpose = ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT;
    stream.write({ part: { $case: 'header', header: { digest: 'a'.repeat(64), size: SENT, offset: 0, purpose, run: 'r' } } });
    const chunk = Buffer.alloc(MIB / 4);
    let mostBuffered = 0;
    for (let sent = chunk.length; sent <= SENT; sent += chunk.length) {
      if (!stream.write({ part: { $case: 'chunk', chunk } })) await once(stream, 'drain');
      mostBuffered = Math.max(mostBuffered, sent - stored);
    }
    stream.end();
    expect(await ended).toBeNull();
    expect(stored).toBe(SENT);
    expect(mostBuffered).toBeLessThan(MOST_BUFFERED);
  });

  it('of a download stops the reading from the disk', async () => {
    const [slow] = await coordinator.join('slow-reader');
    let read = 0;
    const endless = async function* () {
      for (; read < SENT;) {
        read += MIB / 4;
        yield Buffer.alloc(MIB / 4);
      }
    };
    vi.spyOn(ObjectService.prototype, 'download').mockImplementation(() =>
      Promise.resolve({ size: SENT, purpose: 'ciphertext', chunks: endless() }),
    );
    const stream = slow!.calls.downloads.download({ digest: 'a'.repeat(64), offset: 0, length: 0 });
    stream.on('error', () => {});
    await once(stream, 'readable');
    await new Promise((turn) => setTimeout(turn, 1000));
    expect(read).toBeLessThan(MOST_BUFFERED);
    stream.cancel();
  });
});

describe('a message', () => {
  it('that is longer than its call takes, or none at all, is refused with a code of ours before it is parsed', async () => {
    const zeta = await site('zeta');
    const same = (value: Buffer) => value;
    const raw = (bytes: Buffer) =>
      new Promise<CoordinatorError>((resolve) => {
        zeta.calls.uploads.makeUnaryRequest('/coferment.v1.UploadService/GetUpload', same, same, bytes, (error) =>
          resolve(refusal(error!)),
        );
      });
    expect(await raw(Buffer.alloc(20_000, 1))).toMatchObject({
      code: 'too-large',
      message: expect.stringContaining('20000 bytes; at most 16384'),
    });
    expect(await raw(Buffer.from([0x0a, 0xff, 0xff]))).toMatchObject({ code: 'malformed' });
  });
});

describe('strangers', () => {
  it('who guess at invites are sent away, also with a good one in their hands', async () => {
    const invite = parseInvite(await coordinator.invite('eta'));
    const guess = {
      wireVersion: WIRE_VERSION,
      agentTimeMs: Date.now(),
      site: 'eta',
      inviteId: '0'.repeat(16),
      inviteSecret: Buffer.alloc(32),
      identityKey: Buffer.alloc(32, 3),
      certificateRequest: Buffer.alloc(100),
      possession: Buffer.alloc(64),
    };
    const answers: string[] = [];
    for (let tries = 0; tries < 6; tries++) answers.push(await joinCall(invite, guess).then(() => 'ok', codeOf));
    expect(answers.slice(0, 4)).not.toContain('too-many');
    expect(answers.slice(4)).toEqual(['too-many', 'too-many']);
    await expect(site('theta')).rejects.toMatchObject({ code: 'too-many' });
  });

  it('are counted by address, and do not take the turn of sites', async () => {
    const client = helloer(await coordinator.invite('iota'));
    const hello = () => ask(client.hello.bind(client), { wireVersion: WIRE_VERSION, agentTimeMs: Date.now() });
    expect(await many(50, hello)).toContain('too-many');
    await expect(hello()).rejects.toMatchObject({
      message: expect.stringMatching(/More than 40 calls without a certificate.*127\.0\.0\.1/),
    });
    const { operator } = coordinator.operator;
    await expect(ask(operator.getStatus.bind(operator), {})).resolves.toBeDefined();
    client.close();
  });
});
