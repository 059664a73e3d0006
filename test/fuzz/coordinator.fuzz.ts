/*
 * Calls of a corrupt site at a running coordinator, over real gRPC and TLS: everything that was ever sent in a run, with fields, lists, signed acts and bytes
 * changed, signed again by the site itself, by a colluding one or by nobody known. Whatever comes, there is an answer in time; a refusal has a code of the
 * closed list (never `internal`), and the database is as before.
 */
import { generateIdentity, sha256Hex, signBytes } from '@coferment/crypto';
import { joinMessage, WIRE_VERSION } from '@coferment/consortium';
import * as proto from '@coferment/proto';
import { type Client, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CODE_KEY } from '../../coordinator/src/agent-port/error.status.js';
import { toWire } from '../../coordinator/src/agent-port/envelope.codec.js';
import { TestCoordinator, workUntil } from '../../coordinator/src/testing/coordinator.fixture.js';
import type { ScriptedSite } from '../../coordinator/src/testing/scripted-site.fixture.js';
import { StoredState, UNLIMITED } from './stored.state.fixture.js';
import { Dice, mutate, mutateEncoding } from './wire.mutation.fixture.js';

/** Another one is another set of cases: FUZZ_SEED=7 npx vitest run --project fuzz */
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
/** A poll may be held; longer than this says nothing more. */
const HELD_MS = 400;
/** Says only that no answer ever comes: coordinator and sites share a thread here, with the ring and the database in it. */
const HANG_MS = 120_000;

interface Codec<T = object> {
  encode(message: T): { finish(): Uint8Array };
  fromPartial(partial: object): T;
}

/** A call with what honest sites say in it. */
interface Target {
  path: string;
  codec: Codec;
  client: () => Client;
  messages: () => object[];
  stream?: 'request' | 'response';
}

/** `ok`, `held`, `no message`, or the code of a refusal. */
type Answer = string;

class FuzzedRun {
  readonly coordinator = new TestCoordinator({ limits: UNLIMITED });
  sites: ScriptedSite[] = [];
  run = '';
  readonly acts: { name: string; wire: proto.Envelope }[] = [];
  readonly uploads: object[][] = [];

  async open(): Promise<this> {
    await this.coordinator.start();
    this.sites = await this.coordinator.join('alpha', 'beta', 'gamma');
    this.run = await this.coordinator.launch();
    for (const site of this.sites) this.#record(site);
    const chunk = Buffer.alloc(75, 1);
    const header = { digest: sha256Hex(chunk), size: 75, offset: 0, purpose: proto.ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, run: this.run };
    this.uploads.push([{ part: { $case: 'header', header } }, { part: { $case: 'chunk', chunk } }]);
    return this;
  }

  get alpha(): ScriptedSite {
    return this.sites[0]!;
  }

  /** Every site polls a run at rest: one that is asked while the run still moves may get further than where it is to stop. */
  async until(reached: (run: Awaited<ReturnType<TestCoordinator['run']>>) => boolean, without: readonly string[] = []): Promise<void> {
    const working = this.sites.filter(({ site }) => !without.includes(site));
    await workUntil(working, async () => {
      await this.coordinator.rest(this.run);
      return reached(await this.coordinator.run(this.run));
    });
  }

  image(): Promise<string> {
    return new StoredState(this.coordinator).image();
  }

  async close(): Promise<void> {
    for (const site of this.sites) site.calls.close();
    await this.coordinator.remove();
  }

  #record({ calls }: ScriptedSite): void {
    const [submit, send] = [calls.submit.bind(calls), calls.send.bind(calls)];
    calls.submit = (envelope, name) => {
      this.acts.push({ name, wire: toWire(envelope) });
      return submit(envelope, name);
    };
    calls.send = (header, bytes) => {
      if (bytes.length < 20_000)
        this.uploads.push([{ part: { $case: 'header', header } }, { part: { $case: 'chunk', chunk: Buffer.from(bytes) } }]);
      return send(header, bytes);
    };
  }
}

const same = (value: unknown) => value as Buffer;

/** Sends bytes as they are; gRPC's own refusals of what is no message at all come back as such. */
function call(target: Target, parts: readonly Uint8Array[]): Promise<Answer> {
  const client = target.client();
  const deadline = { deadline: Date.now() + HANG_MS };
  const [first = new Uint8Array()] = parts;
  return new Promise((resolve, reject) => {
    const answer = (error: ServiceError | null) => {
      if (error === null) return resolve('ok');
      const code = error.metadata?.get(CODE_KEY)[0];
      if (code !== undefined) return resolve(String(code));
      // Without a code of ours: gRPC itself could not read the request, or it is larger than it takes.
      if (
        [status.INVALID_ARGUMENT, status.RESOURCE_EXHAUSTED, status.INTERNAL].includes(error.code) &&
        /serializ|pars|decod|larger|index out of range|invalid|premature|illegal/i.test(error.details)
      )
        return resolve('no message');
      if (error.code === status.CANCELLED) return resolve('held');
      reject(new Error(`${target.path}: ${error.code} ${error.details}`));
    };
    if (target.stream === 'request') {
      const stream = client.makeClientStreamRequest(target.path, same, same, new Metadata(), deadline, answer);
      stream.on('error', () => undefined);
      for (const part of parts) stream.write(Buffer.from(part));
      stream.end();
      return;
    }
    if (target.stream === 'response') {
      const stream = client.makeServerStreamRequest(target.path, same, same, Buffer.from(first), new Metadata(), deadline);
      stream.on('data', () => undefined);
      stream.on('error', (error) => answer(error as ServiceError));
      stream.on('end', () => answer(null));
      return;
    }
    const unary = client.makeUnaryRequest(target.path, same, same, Buffer.from(first), new Metadata(), deadline, answer);
    if (target.path.endsWith('/Poll')) setTimeout(() => unary.cancel(), HELD_MS).unref();
  });
}

const service = (name: string, method: string) => `/coferment.v1.${name}Service/${method}`;

function targetsOf(fuzzed: FuzzedRun): Record<string, Target> {
  const { calls } = fuzzed.alpha;
  const { run } = fuzzed;
  const acts = (...names: string[]) => fuzzed.acts.filter(({ name }) => names.length === 0 || names.includes(name)).map(({ wire }) => wire);
  const digests = () => fuzzed.uploads.map(([part]) => (part as { part: { header: { digest: string } } }).part.header.digest);
  const identity = generateIdentity();
  const certificateRequest = Buffer.alloc(120, 7);
  const join = {
    wireVersion: WIRE_VERSION,
    agentTimeMs: Date.now(),
    site: 'delta',
    inviteId: 'a'.repeat(32),
    inviteSecret: Buffer.alloc(32),
    identityKey: Buffer.from(identity.publicKey),
    certificateRequest,
    possession: Buffer.from(signBytes('join', joinMessage('scripted', 'delta', 'a'.repeat(32), certificateRequest), identity.privateKey)),
  };
  const position = { run, appliedSum: 0, epoch: 1 };
  return {
    SubmitStatement: {
      path: service('Statement', 'SubmitStatement'),
      codec: proto.SubmitStatementRequest as Codec,
      client: () => calls.statements,
      messages: () => acts().map((statement) => ({ statement })),
    },
    SubmitNonce: {
      path: service('Nonce', 'SubmitNonce'),
      codec: proto.SubmitNonceRequest as Codec,
      client: () => calls.nonces,
      messages: () => [...acts('nonce'), ...acts().slice(0, 1)].map((nonce) => ({ nonce })),
    },
    SubmitShare: {
      path: service('Share', 'SubmitShare'),
      codec: proto.SubmitShareRequest as Codec,
      client: () => calls.shares,
      messages: () => [...acts('share'), ...acts().slice(0, 1)].map((share) => ({ share })),
    },
    Poll: {
      path: service('Polling', 'Poll'),
      codec: proto.PollRequest as Codec,
      client: () => calls.polling,
      messages: () => [{ wireVersion: WIRE_VERSION, waitMs: 0, positions: [position], known: '' }],
    },
    GetUpload: {
      path: service('Upload', 'GetUpload'),
      codec: proto.GetUploadRequest as Codec,
      client: () => calls.uploads,
      messages: () => digests().map((digest) => ({ digest })),
    },
    Upload: {
      path: service('Upload', 'Upload'),
      codec: proto.UploadRequest as Codec,
      client: () => calls.uploads,
      messages: () => fuzzed.uploads.map((parts) => ({ parts })),
      stream: 'request',
    },
    Download: {
      path: service('Download', 'Download'),
      codec: proto.DownloadRequest as Codec,
      client: () => calls.downloads,
      messages: () => digests().map((digest) => ({ digest, offset: 0, length: 100 })),
      stream: 'response',
    },
    GetBlockDigests: {
      path: service('Download', 'GetBlockDigests'),
      codec: proto.GetBlockDigestsRequest as Codec,
      client: () => calls.downloads,
      messages: () => digests().map((digest) => ({ digest, offset: 0 })),
    },
    Join: { path: service('Enrolment', 'Join'), codec: proto.JoinRequest as Codec, client: () => calls.polling, messages: () => [join] },
    Renew: {
      path: service('Enrolment', 'Renew'),
      codec: proto.RenewRequest as Codec,
      client: () => calls.polling,
      messages: () => [{ ...join, site: 'alpha' }],
    },
    LaunchRun: {
      path: service('Operator', 'LaunchRun'),
      codec: proto.LaunchRunRequest as Codec,
      client: () => calls.operator,
      messages: () => [{ plan: 'a'.repeat(64), sites: ['alpha', 'beta'] }],
    },
    RenewEpoch: {
      path: service('Operator', 'RenewEpoch'),
      codec: proto.RenewEpochRequest as Codec,
      client: () => calls.operator,
      messages: () => [{ run, leaveOut: 'beta', replaceHolder: '' }],
    },
  };
}

const CASES: Readonly<Record<string, number>> = {
  SubmitStatement: 1000,
  SubmitNonce: 200,
  SubmitShare: 200,
  Poll: 150,
  GetUpload: 50,
  Upload: 200,
  Download: 100,
  GetBlockDigests: 50,
  Join: 100,
  Renew: 100,
  LaunchRun: 25,
  RenewEpoch: 25,
};

/** Stages in which nothing goes on by itself: the run waits for alpha, or for nobody. */
const stages: Record<string, (fuzzed: FuzzedRun) => Promise<void>> = {
  'in the key ceremony': async (fuzzed) => {
    await fuzzed.until(
      () => fuzzed.acts.some(({ name }) => name === 'roster-approved') && fuzzed.acts.filter(({ name }) => name === 'dealing').length >= 1,
      [],
    );
    await fuzzed.until(({ waitingFor }) => waitingFor.join() === 'alpha', ['alpha']);
  },
  'before the statistics': async (fuzzed) => {
    await fuzzed.until(({ rounds }) => rounds.some(({ sum }) => sum === 4));
    await fuzzed.until(({ waitingFor }) => waitingFor.join() === 'alpha', ['alpha']);
  },
};

describe.each(Object.keys(stages))('a coordinator %s', (stage) => {
  const fuzzed = new FuzzedRun();
  beforeAll(async () => {
    await fuzzed.open();
    await stages[stage]!(fuzzed);
  });
  afterAll(() => fuzzed.close());

  it.each(Object.keys(CASES))('answers any %s, and is as before where it refuses', async (name) => {
    const target = targetsOf(fuzzed)[name]!;
    const messages = target.messages();
    const signers = [generateIdentity(), fuzzed.alpha.identity, fuzzed.sites[1]!.identity];
    const seen: Record<string, number> = {};
    let before = await fuzzed.image();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { minLength: 24, maxLength: 24 }), async (numbers) => {
        const dice = new Dice(numbers);
        let parts: Uint8Array[];
        try {
          const mutated = mutate(dice.of(messages), dice, signers) as { parts?: object[] };
          const list = target.stream === 'request' ? (Array.isArray(mutated.parts) ? mutated.parts : []) : [mutated];
          parts = list.map((part) => mutateEncoding(target.codec.encode(target.codec.fromPartial(part)).finish(), dice));
        } catch {
          seen['unencodable'] = (seen['unencodable'] ?? 0) + 1;
          return;
        }
        const answer = await call(target, parts);
        seen[answer] = (seen[answer] ?? 0) + 1;
        expect(answer).not.toBe('internal');
        // An act that was taken may lead to steps of the run, which are nothing that a later refusal did.
        if (answer === 'ok') await fuzzed.coordinator.rest(fuzzed.run);
        const after = await fuzzed.image();
        if (answer !== 'ok' && answer !== 'held') expect(after).toBe(before);
        before = after;
      }),
      { numRuns: CASES[name]!, seed: SEED, endOnFailure: true },
    );
    expect(Object.values(seen).reduce((sum, count) => sum + count, 0)).toBe(CASES[name]);
    if (process.env['FUZZ_REPORT']) console.error(stage, name, JSON.stringify(seen));
  });

  it('goes on with its run afterwards', async () => {
    await fuzzed.until(({ state }) => state === 'completed');
  });
});
