import { appendFileSync, cpSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { sha256 } from '../../deploy/agent-bundle/archive.writer.js';
import { AgentMember } from '../../demo/src/members/agent.member.js';
import { writePassphrase } from '../../demo/src/members/passphrase.file.js';
import { contentOf } from '../e2e/command.runner.js';
import { TestConsortium, type TestSite } from '../e2e/test.consortium.js';
import { deliver, install, installedProgram, onSite, OWN_TARGET, type Plant, VERSION } from './installed.agent.js';
import { plantedPlan, SMALL_SITE, writePlantedRecords } from './planted.records.js';

const MEBIBYTE = 2 ** 20;
/** A model of 269 000 parameters fills more blocks than an agent encrypts without starting threads. */
const MANY_BLOCKS = '[1024, 256]';
/** The worker's own refusal shows that it was found, that SEAL was, and that the two talk. */
const PROBE = `
import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Piscina } from 'piscina';
const pool = new Piscina({ filename: import.meta.resolve('@coferment/crypto/worker'), execArgv: [] });
const work = { kind: 'encrypt', input: { parameters: { set: 'no such set' } } };
const answer = await pool.run({ work, range: { from: 0, to: 1 } });
await pool.destroy();
const folder = dirname(createRequire(join(process.cwd(), 'main.js')).resolve('@tensorflow/tfjs-backend-wasm'));
const files = readdirSync(folder).filter((file) => file.endsWith('.wasm'));
for (const file of files) await WebAssembly.compile(readFileSync(join(folder, file)));
console.log(JSON.stringify({ ...answer, wasm: files.length }));
`;

const folder = temporaryFolder('coferment-bundle');
const full = process.env['SOVEREIGNTY_FULL'] === '1';

let plant: Plant;
const agent = (...words: string[]) => onSite([join(plant.prefix, 'bin/coferment-agent'), ...words]);

beforeAll(async () => {
  plant = await deliver(folder);
});

describe('a release', () => {
  it('is small enough, and is called unofficial when nobody signed it', () => {
    expect(plant.release.archives).toHaveLength(1);
    expect(plant.release.archives[0]!.bytes).toBeLessThan(150 * MEBIBYTE);
    expect(readdirSync(plant.delivered).sort()).toEqual([
      'SHA256SUMS',
      'SHA256SUMS.UNOFFICIAL.sig',
      'SHA256SUMS.UNOFFICIAL.sshsig',
      `UNOFFICIAL-${VERSION}.allowed-signers`,
      `UNOFFICIAL-${VERSION}.pub.pem`,
      `coferment-agent-${VERSION}-${OWN_TARGET}.tar.gz`,
      'install.sh',
    ]);
  });

  it.skipIf(!full)('has the same bytes when it is made again', async () => {
    const again = await deliver(join(folder, 'again'));
    const archive = (of: Plant) => sha256(join(of.delivered, of.release.archives[0]!.file));
    expect(await archive(again)).toBe(await archive(plant));
  });

  it.each([
    ['archive', `coferment-agent-${VERSION}-${OWN_TARGET}.tar.gz`, 'is not what SHA256SUMS says'],
    ['list of sums', 'SHA256SUMS', 'does not fit the key'],
    ['signature', 'SHA256SUMS.UNOFFICIAL.sig', 'does not fit the key'],
  ])('with a changed %s is not installed', (_, file, reason) => {
    const changed = { ...plant, delivered: join(folder, `changed-${file}`), prefix: join(folder, 'nowhere') };
    cpSync(plant.delivered, changed.delivered, { recursive: true });
    appendFileSync(join(changed.delivered, file), '\n');
    expect(install(changed)).toMatchObject({ code: 1, err: expect.stringContaining(reason) as string });
    rmSync(changed.delivered, { recursive: true });
  });
});

describe('on a machine without Node, npm and network', () => {
  const consortium = new TestConsortium();
  let member: AgentMember;
  let identity: string;

  beforeAll(async () => {
    expect(onSite(['sh', '-c', 'command -v node npm'])).toMatchObject({ out: '' });
    const installed = install(plant);
    expect(installed).toMatchObject({ code: 0, err: '' });
    await consortium.start();
  });
  afterAll(() => consortium.stop());

  it('the agent and the auditor start', () => {
    expect(agent('--version')).toEqual({ code: 0, out: `${VERSION}\n`, err: '' });
    expect(agent('--help').out).toContain('Usage: coferment-agent');
    expect(onSite([join(plant.prefix, 'bin/coferment-audit'), '--version'])).toEqual({ code: 0, out: `${VERSION}\n`, err: '' });
  });

  it('threads find the encryption library, and training finds its WebAssembly', () => {
    const node = join(plant.prefix, 'current/bin/node');
    const answer = onSite([
      'sh',
      '-c',
      'cd "$1" && "$2" --input-type=module -e "$3"',
      'sh',
      join(plant.prefix, 'current/lib/agent'),
      node,
      PROBE,
    ]);
    expect(answer).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(answer.out)).toEqual({ ok: false, code: 'bad-parameters', message: expect.any(String) as string, wasm: 3 });
  });

  it('every file is what CONTENTS.sha256 says', () => {
    expect(onSite(['sh', '-c', 'cd "$1" && sha256sum -c CONTENTS.sha256 --quiet', 'sh', join(plant.prefix, 'current')]).code).toBe(0);
  });

  it('its folder can be moved', () => {
    const moved = { ...plant, prefix: join(folder, 'moved', 'agent') };
    onSite(['mkdir', '-p', join(folder, 'moved')]);
    renameSync(plant.prefix, moved.prefix);
    plant = moved;
    expect(agent('--version').out).toBe(`${VERSION}\n`);
  });

  it('the agent reads the records of the site', () => {
    const records = join(folder, 'records');
    const mapping = writePlantedRecords(records, 'site-a', SMALL_SITE);
    expect(agent('check', 'data', '--mapping', mapping, '--records', records)).toMatchObject({ code: 0 });
  });

  it('it joins a coordinator and serves until it is connected', async () => {
    const setting = {
      site: 'site-a',
      mappingFile: join(folder, 'records/mapping.yaml'),
      recordsFolder: join(folder, 'records'),
      passphraseFile: await writePassphrase(consortium.folders.passphrases, 'site-a'),
      program: installedProgram(plant),
    };
    const connected = new Promise<void>((resolve) => {
      const event = (_: string, { event: name }: Readonly<Record<string, unknown>>) => void (name === 'connected' && resolve());
      member = new AgentMember(consortium.group, consortium.folders, setting, { event, lost: (error) => consortium.failures.push(error) });
    });
    await member.join(await consortium.coordinator.invite('site-a'), '00'.repeat(32));
    identity = await member.identityKey();
    await member.serve();
    await connected;
    expect(consortium.failures).toEqual([]);
  });

  it.skipIf(!full)('it is upgraded while it runs, is the same site afterwards, and can go back', async () => {
    const before = contentOf(join(member.folder, 'keys'));
    const next = { ...(await deliver(folder, '99.0.0')), prefix: plant.prefix };
    expect(install(next).out).toContain(`Upgraded from ${VERSION} to 99.0.0`);
    expect(agent('--version').out).toBe('99.0.0\n');
    await member.kill();
    await member.serve();
    expect(await member.identityKey()).toBe(identity);
    expect(contentOf(join(member.folder, 'keys'))).toEqual(before);
    const back = onSite(['sh', join(plant.prefix, 'current/install.sh'), '--prefix', plant.prefix, '--rollback']);
    expect(back).toMatchObject({ code: 0, out: expect.stringContaining(`Back from 99.0.0 to ${VERSION}`) as string });
    expect(agent('identity', '--data', member.folder).out).toContain(identity);
    expect(consortium.failures).toEqual([]);
  });

  it('it is not removed while it runs; then everything goes but the data', async () => {
    const remove = () => onSite(['sh', join(plant.delivered, 'install.sh'), '--prefix', plant.prefix, '--uninstall']);
    expect(remove()).toMatchObject({ code: 1, err: expect.stringContaining('is running from') as string });
    await consortium.stop();
    const data = contentOf(member.folder);
    expect(remove()).toMatchObject({ code: 0 });
    expect(readdirSync(join(folder, 'moved'))).toEqual([]);
    expect(contentOf(member.folder)).toEqual(data);
  });
});

describe.skipIf(!full)('a run of installed agents and agents of the repository (only with SOVEREIGNTY_FULL=1)', () => {
  const consortium = new TestConsortium();
  let key: string;
  afterAll(() => consortium.stop());

  it('completes, trains in wasm, encrypts in worker threads, and every site is counted', async () => {
    expect(install(plant).code).toBe(0);
    key = (await consortium.start()).logVkey;
    const names = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'];
    await consortium.enrol(
      names.map((id, index): TestSite => {
        const write = (records: string) => writePlantedRecords(records, id, { ...SMALL_SITE, batches: 4 + index });
        return index < 3 ? { id, write, program: installedProgram(plant) } : { id, write };
      }),
    );
    const run = await consortium.launch(plantedPlan(1).replace('[64, 32]', MANY_BLOCKS));
    await consortium.serve();
    const view = await consortium.follow(run);
    expect(consortium.failures).toEqual([]);
    expect(view.state).toBe('completed');
    const updates = view.rounds.filter((round) => round.kind === 'update' && round.state === 'closed');
    expect(updates.map((round) => round.counted)).toEqual([names]);
  });

  it('an installed auditor finds that its ledger holds', async () => {
    await consortium.coordinator.exportLedger(consortium.folders.ledger);
    const auditor = join(plant.prefix, 'bin/coferment-audit');
    const report = onSite([auditor, 'verify', consortium.folders.ledger, '--key', key]);
    expect(report).toMatchObject({ code: 0, err: '' });
  });
});
