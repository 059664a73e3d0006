/*
 * Everybody calls everything: strangers, auditors, sites and the operator, over real gRPC and TLS. Whatever comes, there is an answer in time with a code of the
 * closed list, which is never `internal` and says nothing of the inside; a refused call changes nothing, and nobody gets past the table of roles.
 */
import { tmpdir } from 'node:os';
import { generateIdentity, sha256Hex } from '@coferment/crypto';
import { WIRE_VERSION } from '@coferment/consortium';
import * as proto from '@coferment/proto';
import type { Client } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allows, type Role } from '../../coordinator/src/agent-port/access.roles.js';
import { toWire } from '../../coordinator/src/agent-port/envelope.codec.js';
import { ask } from '../../coordinator/src/cli/operator.client.js';
import { PLAN_TEXT, TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import type { ScriptedSite } from '../../coordinator/src/testing/scripted-site.fixture.js';
import { SiteCalls, joinConsortium } from '../../coordinator/src/testing/site-calls.fixture.js';
import { parseInvite } from '@coferment/consortium';
import { callMethod, leakIn, type Method, METHODS, requestOf, type Vocabulary } from './every.method.fixture.js';
import { StoredState, UNLIMITED } from './stored.state.fixture.js';
import { diceOf } from './wire.mutation.fixture.js';

/** Another one is another set of cases: FUZZ_SEED=7 FUZZ_CASES=200 npx vitest run --project fuzz test/fuzz/every-method */
const SEED = Number(process.env['FUZZ_SEED'] ?? 1);
/** For each method and each role. */
const CASES = Number(process.env['FUZZ_CASES'] ?? 33);
/** Calls that are refused whatever they carry are made so many at a time. */
const AT_ONCE = 11;
const LEAST_REQUESTS = 5000;

const HOSTILE_TEXTS = [
  '',
  '__proto__',
  'constructor',
  '../../x',
  '\0',
  "'; DROP TABLE site; --",
  'x'.repeat(5000),
  '\u202e',
  'a'.repeat(64),
  '127.0.0.1:7443',
];

const ROLES: readonly Role[] = ['stranger', 'auditor', 'site', 'operator'];
const coordinator = new TestCoordinator({ limits: UNLIMITED });
const counts: Record<string, Record<string, Record<string, number>>> = {};
let requests = 0;
let vocabulary: Vocabulary;
let clients: Record<Role, Client>;
let state: StoredState;
let run: string;
const close: (() => void)[] = [];

beforeAll(async () => {
  await coordinator.start();
  state = new StoredState(coordinator);
  const sites = await coordinator.join('alpha', 'beta', 'gamma');
  const { operator } = coordinator.operator;
  const auditorInvite = (
    await ask(operator.createInvite.bind(operator), { site: 'auditor', validHours: 1, address: '', preAdmitted: true, role: 'auditor' })
  ).invite;
  const auditor = await joinConsortium(auditorInvite, generateIdentity());
  const openInvite = await coordinator.invite('delta');
  const stranger = new SiteCalls(parseInvite(openInvite));
  const acts = recorded(sites);
  run = await coordinator.launch();
  for (let turn = 0; turn < 2; turn++) for (const site of sites) await site.work();
  await coordinator.rest(run);
  const [alpha] = sites as [ScriptedSite];
  clients = { stranger: stranger.ledger, auditor: auditor.calls.ledger, site: alpha.calls.ledger, operator: operator };
  close.push(
    ...sites.map(
      ({ calls }) =>
        () =>
          calls.close(),
    ),
    () => stranger.close(),
    () => auditor.calls.close(),
  );
  vocabulary = vocabularyOf(alpha, acts, parseInvite(openInvite));
});
afterAll(async () => {
  for (const end of close) end();
  await coordinator.remove();
});

function recorded(sites: readonly ScriptedSite[]): proto.Envelope[] {
  const acts: proto.Envelope[] = [];
  for (const { calls } of sites) {
    const submit = calls.submit.bind(calls);
    calls.submit = (envelope, name) => {
      acts.push(toWire(envelope));
      return submit(envelope, name);
    };
  }
  return acts;
}

function vocabularyOf(alpha: ScriptedSite, acts: proto.Envelope[], invite: ReturnType<typeof parseInvite>): Vocabulary {
  const chunk = Buffer.alloc(75, 1);
  const header = { digest: sha256Hex(chunk), size: 75, offset: 0, purpose: proto.ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, run };
  return {
    texts: ['alpha', 'beta', 'delta', 'auditor', 'nobody', run, alpha.planDigest, invite.inviteId, WIRE_VERSION, PLAN_TEXT].concat(
      HOSTILE_TEXTS,
    ),
    textsOf: {
      run: [run],
      site: ['alpha', 'beta', 'delta'],
      sites: ['alpha', 'beta', 'gamma'],
      plan: [alpha.planDigest, PLAN_TEXT],
      digest: [sha256Hex(chunk), alpha.planDigest],
      payloadDigest: [alpha.planDigest],
      wireVersion: [WIRE_VERSION],
      inviteId: [invite.inviteId],
      leaveOut: ['gamma', ''],
      replaceHolder: ['beta', ''],
      role: ['', 'auditor'],
      known: [''],
    },
    numbers: [0, 1, 2, 3, 75, 1000, 3600, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, Date.now()],
    bytes: [
      Buffer.alloc(0),
      Buffer.alloc(16, 1),
      Buffer.alloc(32, 2),
      Buffer.alloc(64, 3),
      Buffer.alloc(120, 0x30),
      Buffer.alloc(4000, 5),
      Buffer.from(invite.secret, 'hex'),
    ],
    messages: {
      statement: acts,
      nonce: acts,
      share: acts,
      part: [
        { $case: 'header', header },
        { $case: 'chunk', chunk },
      ],
      positions: [{ run, appliedSum: 0, epoch: 1 }],
    },
    signers: [generateIdentity(), alpha.identity],
  };
}

async function attempt(method: Method, role: Role, number: number): Promise<string> {
  const parts = requestOf(method, vocabulary, diceOf(SEED, method.path, role, number));
  const { code, text } = await callMethod(clients[role], method, parts, isOpen(method.path, role));
  requests += 1;
  const which = `${method.path} as ${role}, case ${number} of seed ${SEED}: ${code} ${text}`;
  const seen = ((counts[method.path] ??= {})[role] ??= {});
  seen[code] = (seen[code] ?? 0) + 1;
  expect(code, which).not.toBe('internal');
  // Every refusal is one of ours: gRPC's own would mean that something was not caught.
  expect(code, which).not.toMatch(/^grpc /);
  expect(leakIn(text, [coordinator.folder, process.cwd(), tmpdir()]), which).toBeUndefined();
  if (!isOpen(method.path, role)) expect(code, which).toBe(role === 'stranger' ? 'unauthenticated' : 'forbidden');
  return code;
}

const isOpen = (path: string, role: Role) => allows(path, 'stranger') || allows(path, role);
const numbers = Array.from({ length: CASES }, (_, number) => number);

describe.each(ROLES)('a coordinator that is called as %s', (role) => {
  it('answers whatever is not for it with a refusal, and nothing is changed', async () => {
    const before = await state.image();
    for (const method of METHODS.filter(({ path }) => !isOpen(path, role)))
      for (let from = 0; from < CASES; from += AT_ONCE)
        await Promise.all(numbers.slice(from, from + AT_ONCE).map((number) => attempt(method, role, number)));
    expect(await state.image()).toBe(before);
  });

  const open = METHODS.filter(({ path }) => isOpen(path, role)).map(
    (method) => [method.path.slice('/coferment.v1.'.length), method] as const,
  );
  it.each(open)('answers any %s, and is as before where it refuses', async (_, method) => {
    if (method.responseStream || method.path.endsWith('AwaitCheckpoint')) {
      // They wait on purpose, and only read.
      const before = await state.image();
      await Promise.all(numbers.map((number) => attempt(method, role, number)));
      expect(await state.image()).toBe(before);
      return;
    }
    for (const number of numbers) {
      await state.remember();
      const code = await attempt(method, role, number);
      if (code === 'ok' || code === 'held') await coordinator.rest(run);
      else expect(await state.hasChanged(), `${method.path} as ${role}, case ${number} of seed ${SEED}: ${code}`).toBe(false);
    }
  });
});

describe('the calls', () => {
  it('were enough, and of every method as everybody', async () => {
    for (const { path } of METHODS)
      for (const role of ROLES) expect(Object.keys(counts[path]?.[role] ?? {}), `${path} as ${role}`).not.toEqual([]);
    if (process.env['FUZZ_REPORT']) console.error(JSON.stringify(counts, undefined, 1));
    console.error(`${requests} requests over ${METHODS.length} methods as ${ROLES.join(', ')}`);
    expect(requests).toBeGreaterThanOrEqual(LEAST_REQUESTS);
  });

  it('left a coordinator that still serves', async () => {
    // The operator may have retired the authority under which it called.
    await coordinator.reconnect();
    const { operator } = coordinator.operator;
    await expect(ask(operator.getStatus.bind(operator), {})).resolves.toBeDefined();
  });
});
