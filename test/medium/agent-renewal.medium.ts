import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { type Predicate, signStatement } from '@coferment/consortium';
import { generateIdentity, sha256Hex } from '@coferment/crypto';
import { type EnrolmentServiceServer, EnrolmentServiceService, HelloResponse, ObjectPurpose, RenewResponse } from '@coferment/proto';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { probe } from '../../client-agent/src/connection/connection.probe.js';
import { EnrolmentClient } from '../../client-agent/src/enrolment/enrolment.client.js';
import { endpointOf, renewCertificate } from '../../client-agent/src/enrolment/renewal.flow.js';
import { toWire } from '../../coordinator/src/agent-port/envelope.codec.js';
import { RenewalService } from '../../coordinator/src/certificates/renewal.service.js';
import {
  createAuthority,
  type IssuingAuthority,
  issueOperator,
  issueServer,
  issueSite,
  type KeyAndCertificate,
} from '../../coordinator/src/identity/certificate.authority.js';
import { ConsortiumIdentity } from '../../coordinator/src/identity/consortium.identity.js';
import { UploadQuota } from '../../coordinator/src/objects/upload.quota.js';
import { ObjectService } from '../../coordinator/src/objects/object.service.js';
import { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import { JoinedAgent } from './joined.agent.fixture.js';

const FULL = process.env['SOVEREIGNTY_FULL'] === '1';
const coordinator = new TestCoordinator();
let alder: JoinedAgent;
let identity: ConsortiumIdentity;

beforeAll(async () => {
  await coordinator.start();
  identity = coordinator.running.context.get(ConsortiumIdentity);
  alder = await JoinedAgent.join(await coordinator.invite('alder'));
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => coordinator.remove());

describe('an agent that renews', () => {
  beforeEach(() => void alder.start());
  afterEach(() => alder.stop());

  it('in the middle of an upload sends the rest on the connection it began on, and all else on the new one', async () => {
    const bytes = new Uint8Array(600_000).map((_, index) => index % 251);
    const digest = sha256Hex(bytes);
    const received: Uint8Array[] = [];
    vi.spyOn(ObjectService.prototype, 'uploadState').mockResolvedValue({ received: 0, complete: false });
    vi.spyOn(UploadQuota.prototype, 'require').mockResolvedValue();
    const uploads = vi.spyOn(ObjectService.prototype, 'upload').mockImplementation(async (_, part, chunks) => {
      for await (const chunk of chunks) received.push(chunk);
      return { received: part.size, complete: true };
    });
    const before = alder.pair.certificate;
    const pieces = async function* () {
      yield bytes.subarray(0, 200_000);
      await vi.waitFor(() => expect(received.length).toBeGreaterThan(0), 20_000);
      await alder.keeper.renew();
      await alder.poll();
      await alder.keeper.renew();
      yield bytes.subarray(200_000, 400_000);
      await expect(alder.poll()).resolves.toMatchObject({ instructions: [] });
      yield bytes.subarray(400_000);
    };
    await alder.client.upload({ digest, size: bytes.length, purpose: ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, run: 'r1', pieces });
    expect(uploads).toHaveBeenCalledTimes(1);
    expect(sha256Hex(Buffer.concat(received))).toBe(digest);
    expect(alder.pair.certificate).not.toBe(before);
  });

  it('is asked twice at once and renews once', async () => {
    const renewals = vi.spyOn(RenewalService.prototype, 'renew');
    await Promise.all([alder.keeper.renew(), alder.keeper.renew(), alder.keeper.renew()]);
    expect(renewals).toHaveBeenCalledTimes(1);
  });

  it('does not renew again because a call that began before was refused', async () => {
    const renewals = vi.spyOn(RenewalService.prototype, 'renew');
    await alder.keeper.renew();
    await alder.keeper.refused();
    expect(renewals).toHaveBeenCalledTimes(1);
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 5000);
    await alder.keeper.refused();
    expect(renewals).toHaveBeenCalledTimes(2);
  });

  it('gets no answer, keeps its pair, and goes on when the next try is answered', async () => {
    const before = alder.pair;
    vi.spyOn(RenewalService.prototype, 'renew').mockRejectedValueOnce(new Error('down'));
    await expect(alder.keeper.renew()).rejects.toThrow();
    expect(alder.pair).toEqual(before);
    await expect(alder.poll()).resolves.toMatchObject({ instructions: [] });
    // The answer is lost: the coordinator has issued a certificate that the agent never saw.
    const renewals = coordinator.running.context.get(RenewalService);
    const renew = renewals.renew.bind(renewals);
    vi.spyOn(renewals, 'renew').mockImplementationOnce(async (call) => {
      await renew(call);
      throw new Error('cut');
    });
    await expect(alder.keeper.renew()).rejects.toThrow();
    expect(alder.pair).toEqual(before);
    await expect(alder.poll()).resolves.toMatchObject({ instructions: [] });
    await alder.keeper.renew();
    await expect(alder.poll()).resolves.toMatchObject({ instructions: [] });
  });
});

describe('an agent whose certificate lives for seconds', () => {
  it('renews it by itself, again and again, and is never refused', async () => {
    const certificates = new Set<string>();
    identity.keepFacts({ certificateLifeMs: 6000 });
    alder.start();
    await alder.keeper.renew();
    alder.stop();
    alder.start(true);
    try {
      await vi.waitFor(
        async () => {
          await expect(alder.poll()).resolves.toMatchObject({ instructions: [] });
          certificates.add(alder.pair.certificate);
          expect(certificates.size).toBeGreaterThan(FULL ? 3 : 1);
        },
        { timeout: 60_000, interval: 100 },
      );
    } finally {
      identity.keepFacts({ certificateLifeMs: 30 * 86_400_000 });
      await alder.keeper.renew();
      alder.stop();
    }
  });
});

/** Answers on the coordinator's port with a TLS key of its own, and counts whom it reaches. */
class FalseCoordinator {
  readonly #server = new Server();
  calls = 0;
  renewed = (): RenewResponse => RenewResponse.fromPartial({});

  async listen(pair: KeyAndCertificate): Promise<string> {
    const service: Partial<EnrolmentServiceServer> = {
      hello: (_, answer) => {
        this.calls += 1;
        answer(null, HelloResponse.fromPartial({}));
      },
      renew: (call, answer) => {
        this.calls += 1;
        issueSite(identity.authority, call.request.site, call.request.certificateRequest).then(
          ({ certificate }) => answer(null, RenewResponse.fromPartial({ ...this.renewed(), certificate: Buffer.from(certificate) })),
          (error: Error) => answer(error),
        );
      },
    };
    this.#server.addService(EnrolmentServiceService, service as EnrolmentServiceServer);
    const credentials = ServerCredentials.createSsl(null, [
      { private_key: Buffer.from(pair.privateKey), cert_chain: Buffer.from(pair.certificate) },
    ]);
    return new Promise((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', credentials, (error, port) => (error === null ? resolve(`127.0.0.1:${port}`) : reject(error)));
    });
  }

  close(): void {
    this.#server.forceShutdown();
  }
}

describe('a man in the middle', () => {
  const name = () => identity.facts.serverName;
  const lifeMs = 86_400_000;
  const other = async (): Promise<IssuingAuthority> => ({ ...(await createAuthority('scripted')), lifeMs });

  it.each<[string, RegExp, () => Promise<KeyAndCertificate>]>([
    [
      'a certificate of another authority, for the right name',
      /authority: .*not signed by its key.*imitate the coordinator/,
      async () => issueServer(await other(), name()),
    ],
    [
      'a certificate for another name, of the right authority',
      /server name: the certificate is for .*coordinator\.other\.coferment.*Check the address/,
      () => issueServer(identity.authority, 'coordinator.other.coferment'),
    ],
    [
      "a client certificate, of the right authority: a site's or the operator's",
      /server name: .*not for .*Check the address/,
      () => issueOperator(identity.authority),
    ],
    ["the authority's own certificate", /server name: .*not for .*Check the address/, () => Promise.resolve(identity.authority)],
    [
      'a certificate for the right name that has expired',
      /authority: .*valid from .*Check the clock/,
      () => issueServer({ ...identity.authority, lifeMs: -3_600_000 }, name()),
    ],
  ])('with %s hears nothing, and the agent says what is wrong and what to do', async (_, said, pair) => {
    const middle = new FalseCoordinator();
    const address = await middle.listen(await pair());
    const endpoint = { ...endpointOf(alder.member), address };
    const client = new EnrolmentClient(endpoint);
    await expect(client.hello(Date.now())).rejects.toMatchObject({ code: 'unreachable' });
    expect(middle.calls).toBe(0);
    const failures = (await probe(endpoint)).filter(({ result }) => result === 'fail');
    expect(failures.map(({ check, found, advice }) => `${check}: ${found} ${advice}`).join('\n')).toMatch(said);
    client.close();
    middle.close();
  });
});

/** Somebody holds the coordinator's TLS key, or its authority's, and not the operator's. */
describe('a thief of the TLS key', () => {
  const act = (change: Partial<Predicate<'authorities'>>, signer = identity.operator) =>
    toWire(
      signStatement(
        'authorities',
        { consortium: 'scripted', sequence: 1, certificates: identity.authorities.certificates, ...change },
        signer,
      ),
    );

  it.each<[string, () => Promise<RenewResponse>]>([
    [
      'an act that it signed itself',
      async () => {
        const { certificate } = await createAuthority('thief');
        return RenewResponse.fromPartial({ authorities: act({ certificates: [certificate] }, generateIdentity()) });
      },
    ],
    ["another consortium's act", () => Promise.resolve(RenewResponse.fromPartial({ authorities: act({ consortium: 'other' }) }))],
    [
      'a good act with a certificate of an authority that is not in it',
      async () => RenewResponse.fromPartial({ authorities: act({ certificates: [(await createAuthority('newer')).certificate] }) }),
    ],
  ])('makes the agent believe nothing with %s', async (_, answer) => {
    const thief = new FalseCoordinator();
    const address = await thief.listen({ ...identity.server });
    const prepared = await answer();
    thief.renewed = () => prepared;
    const file = join(alder.folder, 'member.json');
    const [member, pair] = [readFileSync(file, 'utf8'), alder.pair];
    alder.start();
    const renewal = renewCertificate(alder.folder, { ...alder.member, coordinator: address }, alder.store);
    await expect(renewal).rejects.toMatchObject({ code: expect.stringMatching(/^(authorities-refused|malformed-response)$/) });
    expect(thief.calls).toBe(1);
    expect(readFileSync(file, 'utf8')).toBe(member);
    expect(alder.pair).toEqual(pair);
    alder.stop();
    thief.close();
  });

  it('cannot make the agent forget a rollover by sending the act from before it', async () => {
    const before = act({ sequence: 1, certificates: identity.authorities.certificates });
    const thief = new FalseCoordinator();
    const address = await thief.listen({ ...identity.server });
    thief.renewed = () => RenewResponse.fromPartial({ authorities: before });
    const known = { ...alder.member, coordinator: address, authorities: 2 };
    await expect(renewCertificate(alder.folder, known, alder.store)).rejects.toMatchObject({ code: 'authorities-refused' });
    thief.renewed = () => RenewResponse.fromPartial({});
    await expect(renewCertificate(alder.folder, known, alder.store)).rejects.toMatchObject({ code: 'authorities-refused' });
    expect(new X509Certificate(alder.pair.certificate).subject).toContain('alder');
    thief.close();
  });
});
