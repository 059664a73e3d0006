import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseAddress, parsePlan } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bytesOf } from './passing.files.js';
import { TcpRelay } from '../../client-agent/src/testing/tcp.relay.fixture.js';
import { computeAgreement } from '../../demo/src/consortium/out-of-band.check.js';
import { AuditorMember, type AuditVerdict } from '../../demo/src/members/auditor.member.js';
import { writePassphrase } from '../../demo/src/members/passphrase.file.js';
import { inTurns } from '../../demo/src/run/in.turns.js';
import type { RunView } from '../../demo/src/run/run.view.js';
import { AGENT, type CommandResult, COORDINATOR, REPOSITORY, runCommand } from '../e2e/command.runner.js';
import { TestConsortium } from '../e2e/test.consortium.js';
import { type Cut, LineCuts, type Phase, PHASES } from './line.cuts.js';
import { type Launcher, NetworkNamespace, namespacesMissing } from './network.namespace.js';
import { NetworkedAgent } from './networked.agent.js';
import { SMALL_SITE, writePlantedRecords } from './planted.records.js';
import { proxyMissing, ProxyProgram } from './proxy.program.js';

/** The whole measure of the issue: 30 s in each phase. By default the same run, with cuts as long as a switch needs to restart. */
const FULL = process.env['SOVEREIGNTY_FULL'] === '1';
const CUT_MS = FULL ? 30_000 : 2_000;
const SILENT: Cut = FULL ? 'forgotten' : 'silent';
const CUTS: Readonly<Record<Phase, Cut>> = {
  'key ceremony': 'reset',
  training: 'silent',
  uploading: 'reset',
  attesting: SILENT,
  decrypting: 'reset',
  applying: SILENT,
};
const USER = 'anna';
/** Has a character that stands percent-encoded in the address of the proxy. */
const PASSWORD = 'pa55.word-7Qz';
const IN_ADDRESS = PASSWORD.replace('.', '%2E');
const SITES = ['site-1', 'site-2', 'site-3'];
/** Minor versions on both sides of the coordinator's: two that are two apart from each other meet in the same sums. */
const VERSIONS: Readonly<Record<string, string>> = { coordinator: '1.1', 'site-1': '1.0', 'site-2': '1.2', 'site-3': '1.1' };
/** Of about 1 MB that the three sites upload in the training round. */
const UPLOAD_BEFORE_CUT = 400_000;

const noNamespaces = namespacesMissing();
const noProxy = noNamespaces === '' ? proxyMissing() : noNamespaces;
if (noNamespaces !== '' && process.env['REQUIRE_NETNS'] === '1') throw new Error(`REQUIRE_NETNS is set, and ${noNamespaces}`);
if (noProxy !== '' && process.env['REQUIRE_PROXY'] === '1') throw new Error(`REQUIRE_PROXY is set, and ${noProxy}`);
const why = (reason: string): string => (reason === '' ? '' : ` (skipped: ${reason})`);

/** Rules that wait: nobody is absent, no deadline passes. What a cut must not do is left to nothing else. */
const PLAN = `schema: 1
plan: cut-lines
sample:
  at: samples
  window: 1 h
  of: [temperature, ph]
  summarise: [last, mean]
  ranges: { temperature: [0, 60], ph: [5, 9], time_since_phase: [0, 24], product_concentration: [0, 40] }
  phase: batch
target: { variable: product_concentration }
features: [time_since_phase]
model: { kind: mlp, hidden: [512, 256] }
training: { epochs: 1, learningRate: 0.01 }
rounds: 1
quorum: { minContributors: 3, absentAfterPolls: 1000, deadline: 10 h, onDeadline: wait }
evaluation: { holdout: { byBatch: 0.25 } }
`;

const consortium = new TestConsortium();
const { folders } = consortium;
const namespaces: NetworkNamespace[] = [];
const agents: NetworkedAgent[] = [];
let port: number;
let relay: TcpRelay;
let proxy: ProxyProgram | undefined;
let cuts: LineCuts;
let run: RunView;
let verdict: AuditVerdict;
let joinWhileCut: CommandResult;
let listeningSockets: string[];
const passwordTried: Record<string, CommandResult> = {};

beforeAll(
  async () => {
    await loadCrypto();
    const listening = await startCoordinator();
    relay = await TcpRelay.start({ host: '::1', port }, { host: '::', port: 0 });
    await makeSites();
    const keys = new Map<string, string>();
    const [first, ...others] = agents;
    // The line is cut while the first of them joins.
    keys.set(first!.setting.site, await enrol(first!));
    await Promise.all(others.map(async (agent) => keys.set(agent.setting.site, await enrol(agent))));
    const agreement = computeAgreement(parsePlan(PLAN), keys);
    await inTurns(agents, async (agent) => {
      await agent.must(['plans', 'approve', agreement.plan]);
      await agent.must(['roster', 'approve', agreement.fingerprint]);
    });
    const planFile = join(folders.out, 'plan.yaml');
    writeFileSync(planFile, PLAN);
    const id = await consortium.coordinator.launch(await consortium.coordinator.publishPlan(planFile));
    cuts = new LineCuts(relay, CUT_MS, CUTS, UPLOAD_BEFORE_CUT);
    for (const agent of agents) agent.onEvent = (event) => cuts.take(event);
    await Promise.all(agents.map((agent) => agent.serve()));
    run = await consortium.follow(id);
    await cuts.settled;
    listeningSockets = agents.filter(({ setting }) => setting.launcher.length > 0).flatMap((agent) => agent.listening());
    await consortium.coordinator.exportLedger(folders.ledger);
    verdict = await new AuditorMember(consortium.group, folders, listening).verify();
  },
  FULL ? 1_800_000 : 580_000,
);

afterAll(async () => {
  try {
    await Promise.all(agents.map((agent) => agent.stop()));
    await consortium.stop();
    await relay?.stop();
    await proxy?.stop();
  } finally {
    for (const namespace of namespaces) namespace.remove();
  }
}, 60_000);

async function startCoordinator(): Promise<{ logVkey: string; operatorKey: string }> {
  const passphrase = await writePassphrase(folders.passphrases, 'coordinator');
  const preload = pathToFileURL(join(REPOSITORY, 'test/e2e/other-version.preload.js')).href;
  const before = process.env['NODE_OPTIONS'];
  process.env['NODE_OPTIONS'] = `${before ?? ''} --import ${preload}`;
  process.env['COFERMENT_TEST_WIRE_VERSION'] = VERSIONS['coordinator'];
  try {
    const founding = ['--consortium', 'test-consortium', '--origin', 'ledger.localhost/test-consortium', '--listen', '[::]:0'];
    const server = consortium.group.start({
      name: 'coordinator',
      script: COORDINATOR,
      args: ['start', '--data', folders.coordinator, '--passphrase-file', passphrase, ...founding, '--json'],
      logFile: join(folders.logs, 'coordinator.log'),
    });
    const started = await server.event(({ event }) => event === 'listening', 'listening', 120_000);
    port = parseAddress(String(started['address']))!.port;
    return { logVkey: String(started['logVkey']), operatorKey: String(started['operatorKey']) };
  } finally {
    delete process.env['COFERMENT_TEST_WIRE_VERSION'];
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  }
}

/** site-1 dials IPv6; site-2 has nothing but a proxy with a login; site-3 may dial out to one port. Where that cannot be made, they dial directly. */
async function makeSites(): Promise<void> {
  await makeSite('site-1', `[::1]:${relay.port}`, [], {});
  if (noNamespaces !== '') {
    for (const site of ['site-2', 'site-3']) await makeSite(site, `127.0.0.1:${relay.port}`, [], {});
    return;
  }
  const [two, three] = [new NetworkNamespace(2), new NetworkNamespace(3)];
  namespaces.push(two, three);
  three.allowOnly(relay.port);
  await makeSite('site-3', `${three.outside}:${relay.port}`, three.launcher, {});
  if (noProxy !== '') {
    two.allowOnly(relay.port);
    await makeSite('site-2', `${two.outside}:${relay.port}`, two.launcher, {});
    return;
  }
  mkdirSync(join(folders.out, 'proxy'));
  proxy = await ProxyProgram.start({
    folder: join(folders.out, 'proxy'),
    host: two.outside,
    user: USER,
    password: PASSWORD,
    allowed: relay.port,
  });
  two.allowOnly(proxy.port);
  // An address to which the network of site-2 has no way at all.
  await makeSite('site-2', `${three.outside}:${relay.port}`, two.launcher, { HTTPS_PROXY: proxyAddress(IN_ADDRESS) });
}

const proxyAddress = (password: string): string => `${USER}:${password}@${namespaces[0]!.outside}:${proxy!.port}`;

async function makeSite(site: string, address: string, launcher: Launcher, environment: Record<string, string>): Promise<void> {
  const recordsFolder = join(folders.records, site);
  const setting = {
    site,
    folder: join(folders.sites, site),
    mappingFile: writePlantedRecords(recordsFolder, site, SMALL_SITE),
    recordsFolder,
    passphraseFile: await writePassphrase(folders.passphrases, site),
    address,
    launcher,
    environment,
    wireVersion: VERSIONS[site]!,
  };
  agents.push(new NetworkedAgent(setting));
  agents.sort((a, b) => (a.setting.site < b.setting.site ? -1 : 1));
}

function agentOf(site: string): NetworkedAgent {
  return agents.find(({ setting }) => setting.site === site)!;
}

async function invite(site: string, address: string): Promise<string> {
  const file = join(folders.out, 'invites', `${site}.json`);
  const operator = ['--data', folders.coordinator, '--passphrase-file', consortium.passphraseFile('coordinator')];
  const made = await runCommand(COORDINATOR, ['invite', site, '--out', file, '--address', address, '--pre-admit', ...operator]);
  if (made.code !== 0) throw new Error(made.stderr);
  return file;
}

/** The line of site-1 is cut while it joins; site-2 first tries with a login that is wrong. */
async function enrol(agent: NetworkedAgent): Promise<string> {
  const { site, address } = agent.setting;
  const file = await invite(site, address);
  if (site === 'site-1') {
    relay.afterSending(1500, () => relay.refuse());
    joinWhileCut = await agent.join(file);
    await sleep(CUT_MS);
    relay.restore();
  }
  if (site === 'site-2' && proxy !== undefined) {
    const wrong = { HTTPS_PROXY: proxyAddress('not-it-8Kx') };
    passwordTried['join'] = await agent.join(file, wrong);
    passwordTried['doctor'] = await agent.command(['doctor', '--invite', file], wrong);
    passwordTried['right'] = await agent.command(['doctor', '--invite', file]);
  }
  const joined = await agent.join(file);
  if (joined.code !== 0) throw new Error(`${site} did not join: ${joined.stderr}`);
  return (JSON.parse(joined.stdout) as { identityKey: string }).identityKey;
}

describe(`a run whose line is cut for ${CUT_MS / 1000} s in every phase`, () => {
  it('was cut in every phase', () => {
    console.log(cuts.records.map(({ phase, cut, backMs }) => `${phase}: ${cut}, back after ${backMs ?? '–'} ms`).join('\n'));
    expect(cuts.records.map(({ phase }) => phase)).toEqual([...PHASES]);
  });

  it('completed, with every site counted in every sum, once', () => {
    expect(agents.map(({ lost }) => lost)).toEqual(['', '', '']);
    expect(consortium.failures).toEqual([]);
    expect(run.state).toBe('completed');
    const closed = run.rounds.filter(({ state }) => state === 'closed');
    expect(closed.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['confirm', 'statistics', 'update', 'evaluate']));
    for (const { counted } of closed.filter(({ kind }) => kind !== 'confirm')) expect([...counted].sort()).toEqual(SITES);
    // A key is confirmed with a sum of each site's alone.
    expect(closed.flatMap(({ kind, counted }) => (kind === 'confirm' ? counted : [])).sort()).toEqual(SITES);
    expect(run.rounds.flatMap(({ excluded }) => excluded)).toEqual([]);
  });

  it('left a ledger that holds', () => {
    expect(verdict).toMatchObject({ verified: true });
  });

  it('left no refusal at any site, and journals that open', async () => {
    for (const agent of agents) {
      expect(agent.events.filter(({ event }) => event === 'refused')).toEqual([]);
      const status = JSON.parse(await agent.must(['status'])) as { refusals: unknown[]; runs: { state: string; roundsApplied: number }[] };
      expect(status.refusals).toEqual([]);
      expect(status.runs).toMatchObject([{ state: 'closed', roundsApplied: 1 }]);
    }
  });

  it('was lost and found again by every agent, by itself', () => {
    for (const { events } of agents) {
      const changes = events.map(({ event }) => event).filter((event) => event === 'connected' || event === 'disconnected');
      expect(changes.filter((event) => event === 'disconnected').length).toBeGreaterThan(0);
      expect(changes.at(-1)).toBe('connected');
    }
  });

  it('began with a join that was cut, said so, and was given again with the same invite', () => {
    expect(joinWhileCut.code).toBe(1);
    expect(joinWhileCut.stderr).toMatch(/cannot be reached|does not answer/);
    const joined = readFileSync(join(agentOf('site-1').setting.folder, 'member.json'), 'utf8');
    expect(JSON.parse(joined)).toMatchObject({ site: 'site-1', coordinator: `[::1]:${relay.port}` });
  });

  it('had releases on it that are two minor versions apart from each other', () => {
    expect(new Set(agents.map(({ setting }) => setting.wireVersion))).toEqual(new Set(['1.0', '1.1', '1.2']));
  });
});

describe(`a site behind a proxy with a login${why(noProxy)}`, () => {
  const skip = noProxy !== '';

  it.skipIf(skip)('has no other way', async () => {
    const { setting } = agentOf('site-2');
    const { host } = parseAddress(setting.address)!;
    expect(await dialFrom(setting.launcher, host, relay.port)).not.toBe('open');
    expect(await dialFrom(setting.launcher, namespaces[0]!.outside, relay.port)).not.toBe('open');
    expect(await dialFrom(setting.launcher, namespaces[0]!.outside, proxy!.port)).toBe('open');
  });

  it.skipIf(skip)('joined, polled, uploaded and downloaded through it', () => {
    const asked = proxy!.log.match(/CONNECT \S+/g) ?? [];
    // Join, and one connection after each cut that ended one.
    expect(asked.length).toBeGreaterThan(3);
    expect(new Set(asked)).toEqual(new Set([`CONNECT ${agentOf('site-2').setting.address}`]));
    const sent = agentOf('site-2').events.filter(({ event }) => event === 'sent');
    expect(sent.map(({ name }) => name)).toEqual(expect.arrayContaining([expect.stringMatching(/encrypted|ciphertext/i)]));
  });

  it.skipIf(skip)('is told by join and by doctor that the login is wrong, and by which proxy', () => {
    const named = new RegExp(`the proxy http://${namespaces[0]!.outside}:${proxy!.port} \\(HTTPS_PROXY\\) answered 40[17]`);
    for (const command of ['join', 'doctor'] as const) expect(passwordTried[command]?.code).toBe(1);
    expect(passwordTried['join']?.stderr).toMatch(named);
    expect(passwordTried['doctor']?.stdout).toMatch(named);
  });

  it.skipIf(skip)('is found well by doctor with the right one', () => {
    const { code, stdout } = passwordTried['right']!;
    expect(code).toBe(0);
    const { ok, checks } = JSON.parse(stdout) as { ok: boolean; checks: { check: string; result: string }[] };
    expect(ok).toBe(true);
    expect(Object.fromEntries(checks.map(({ check, result }) => [check, result]))).toMatchObject({
      proxy: 'pass',
      TLS: 'pass',
      authority: 'pass',
      'wire version': 'pass',
      clock: 'pass',
    });
  });

  it.skipIf(skip)('never wrote the password anywhere', () => {
    const { printed, setting } = agentOf('site-2');
    for (const form of [PASSWORD, IN_ADDRESS, 'not-it-8Kx', Buffer.from(`${USER}:${PASSWORD}`).toString('base64')]) {
      expect(printed).not.toContain(form);
      expect(filesWith(setting.folder, form)).toEqual([]);
      expect(filesWith(folders.coordinator, form)).toEqual([]);
      expect(filesWith(folders.logs, form)).toEqual([]);
    }
    // The search finds it where it is.
    expect(filesWith(join(folders.out, 'proxy'), PASSWORD)).toHaveLength(1);
  });
});

describe(`a site that can only dial out, to one port${why(noNamespaces)}`, () => {
  const skip = noNamespaces !== '';

  it.skipIf(skip)('reaches that port and no other', async () => {
    const { launcher } = agentOf('site-3').setting;
    const { outside } = namespaces[1]!;
    expect(await dialFrom(launcher, outside, relay.port)).toBe('open');
    expect(await dialFrom(launcher, outside, port)).not.toBe('open');
  });

  it.skipIf(skip)('listens on nothing and cannot be called', async () => {
    expect(listeningSockets).toEqual([]);
    expect(await dial(namespaces[1]!.inside, 7443)).not.toBe('open');
  });
});

describe('another process of the same site', () => {
  const more = async (args: string[], environment: Record<string, string>, preload?: string) => {
    const nodeArguments = [
      '--no-warnings',
      ...(preload === undefined ? [] : ['--import', pathToFileURL(join(REPOSITORY, 'test/e2e', preload)).href]),
    ];
    const result = await runCommand(AGENT, [...args, '--json'], {
      environment,
      nodeArguments,
    });
    const answer = JSON.parse(result.stdout) as { ok?: boolean; checks?: { check: string; result: string; found: string }[] };
    return { ...result, ...answer, found: (name: string) => answer.checks?.find(({ check }) => check === name) };
  };

  it('whose clock is off is warned, and beyond five minutes fails, by doctor', async () => {
    const doctor = ['doctor', '--data', agentOf('site-1').setting.folder];
    const slow = await more(doctor, { COFERMENT_TEST_CLOCK_SHIFT: '-60000' }, 'shifted-clock.preload.js');
    expect(slow.code).toBe(0);
    expect(slow.found('clock')).toMatchObject({ result: 'warn', found: expect.stringMatching(/behind the coordinator/) });
    const fast = await more(doctor, { COFERMENT_TEST_CLOCK_SHIFT: '720000' }, 'shifted-clock.preload.js');
    expect(fast.code).toBe(1);
    expect(fast.found('clock')?.result).toBe('fail');
    expect(fast.found('clock')?.found.match(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/g)).toHaveLength(2);
  });

  it('of a release that is two minor versions apart is refused by both names', async () => {
    const doctor = ['doctor', '--data', agentOf('site-1').setting.folder];
    const apart = await more(doctor, { COFERMENT_TEST_WIRE_VERSION: '1.3' }, 'other-version.preload.js');
    expect(apart.code).toBe(1);
    expect(apart.found('wire version')).toMatchObject({ result: 'fail', found: expect.stringMatching(/1\.3.*1\.1/) });
  });
});

describe.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)('a disk that is no use', () => {
  /** doctor on a data folder that is a file system of its own, seen by nobody else. */
  async function doctorOn(
    mounting: string,
  ): Promise<{ code: number; disk: { result: string; found: string; advice: string } | undefined }> {
    const data = join(folders.out, 'disk');
    mkdirSync(data, { recursive: true });
    const command = [process.execPath, '--no-warnings', AGENT, 'doctor', '--json', '--data', data];
    const invited = ['--invite', join(folders.out, 'invites', 'site-1.json')];
    return new Promise((resolve) =>
      execFile(
        'unshare',
        ['-m', 'sh', '-c', `d=$1; shift; ${mounting}; exec "$@"`, 'sh', data, ...command, ...invited],
        (error, stdout) => {
          const { checks } = JSON.parse(stdout) as { checks: { check: string; result: string; found: string; advice: string }[] };
          resolve({ code: Number(error?.code ?? 0), disk: checks.find(({ check }) => check === 'disk') });
        },
      ),
    );
  }

  it('because it is full is told by doctor', async () => {
    const full = await doctorOn('mount -t tmpfs -o size=16k tmpfs "$d" && head -c 1000000 /dev/zero > "$d/fill" 2>/dev/null');
    expect(full).toMatchObject({ code: 1, disk: { result: 'fail', advice: expect.stringMatching(/disk is full/) } });
  });

  it('because it is mounted read-only is told by doctor', async () => {
    const readOnly = await doctorOn('mount -t tmpfs -o ro tmpfs "$d"');
    expect(readOnly).toMatchObject({
      code: 1,
      disk: { result: 'fail', found: expect.stringContaining('EROFS'), advice: expect.stringMatching(/ReadWritePaths/) },
    });
  });
});

describe('an agent that starts without a coordinator', () => {
  it('shows the way step by step, as doctor does, and goes on trying', async () => {
    const agent = agentOf('site-1');
    await agent.stop();
    relay.refuse();
    const explained = Promise.withResolvers<{ check: string; result: string; advice: string }[]>();
    agent.onEvent = (event) => {
      if (Array.isArray(event['probe'])) explained.resolve(event['probe'] as never);
    };
    await agent.serve();
    const steps = await explained.promise;
    expect(steps[0]).toMatchObject({ check: 'name resolution', result: 'pass' });
    expect(steps.filter(({ result }) => result === 'fail')).toHaveLength(1);
    expect(steps.at(-1)?.advice).not.toBe('');
    const back = Promise.withResolvers<void>();
    agent.onEvent = ({ event }) => event === 'connected' && back.resolve();
    relay.restore();
    await back.promise;
  });
});

function dial(host: string, to: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port: to, timeout: 1000 });
    const end = (said: string): void => {
      socket.destroy();
      resolve(said);
    };
    socket
      .once('connect', () => end('open'))
      .once('timeout', () => end('silent'))
      .once('error', (error) => end(error.message));
  });
}

/** The same from within a network. */
function dialFrom(launcher: Launcher, host: string, to: number): Promise<string> {
  const source = `const s=require('net').createConnection({host:'${host}',port:${to},timeout:1000});const e=(t)=>{console.log(t);process.exit()};s.once('connect',()=>e('open')).once('timeout',()=>e('silent')).once('error',(x)=>e(x.message))`;
  const [program, ...rest] = [...launcher, process.execPath, '-e', source];
  return new Promise((resolve, reject) =>
    execFile(program!, rest, (error, stdout) => (error === null ? resolve(stdout.trim()) : reject(error))),
  );
}

function filesWith(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => bytesOf(path)?.includes(text) === true);
}
