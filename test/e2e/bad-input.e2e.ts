import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mappingText, plantedPlan, SMALL_SITE, writePlantedRecords } from '../sovereignty/planted.records.js';
import { AGENT, COORDINATOR, type CommandResult, type CommandSetting, contentOf, REPOSITORY, runCommand } from './command.runner.js';
import { TestConsortium } from './test.consortium.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';

const MINUTE = 60_000;

const scratch = temporaryFolder('coferment-bad-input');
const consortium = new TestConsortium();
const operatorFlags = ['--data', consortium.folders.coordinator, '--passphrase-file', consortium.passphraseFile('coordinator'), '--json'];
const operator = (...args: string[]): Promise<CommandResult> => runCommand(COORDINATOR, [...args, ...operatorFlags]);

beforeAll(async () => {
  await consortium.start();
  await consortium.enrol(
    ['site-1', 'site-2', 'site-3'].map((id) => ({ id, write: (folder) => writePlantedRecords(folder, id, SMALL_SITE) })),
  );
}, 120_000);

afterAll(() => consortium.stop());

/** Exit code 1, one clear sentence on standard error, the same as JSON on standard output, and no stack trace. */
function expectRefusal(result: CommandResult, ...said: (string | RegExp)[]): void {
  expect(result.code).toBe(1);
  for (const text of said) expect(result.stderr).toMatch(text);
  expect(result.stderr).not.toMatch(/\n\s+at /);
  expect(JSON.parse(result.stdout)).toMatchObject({ error: { message: expect.any(String) } });
}

describe("a site's records that cannot be read with certainty", () => {
  let number = 0;

  function records(change: (files: { mapping: string; online: string }) => { mapping: string; online: string }): string {
    const folder = join(scratch, `records-${++number}`);
    writePlantedRecords(folder, 'site-1', SMALL_SITE);
    const files = change({ mapping: mappingText('site-1'), online: readFileSync(join(folder, 'online.csv'), 'utf8') });
    writeFileSync(join(folder, 'mapping.yaml'), files.mapping);
    writeFileSync(join(folder, 'online.csv'), files.online);
    return folder;
  }

  const check = (folder: string): Promise<CommandResult> =>
    runCommand(AGENT, ['check', 'data', '--mapping', join(folder, 'mapping.yaml'), '--records', folder, '--json']);

  it('are accepted when nothing is wrong, so the refusals below have their reason', async () => {
    expect((await check(records((files) => files))).code).toBe(0);
  });

  it.each<[string, (files: { mapping: string; online: string }) => { mapping: string; online: string }, (string | RegExp)[]]>([
    [
      'an unknown unit',
      ({ mapping, online }) => ({ mapping: mapping.replace('unit: Cel', 'unit: warmth'), online }),
      ['warmth', 'temperature'],
    ],
    [
      'a missing column',
      ({ mapping, online }) => ({ mapping: mapping.replace('column: temperature', 'column: T_reactor'), online }),
      ['T_reactor', 'online.csv'],
    ],
    [
      'time that goes backwards',
      ({ mapping, online }) => ({
        mapping,
        online: online.replace(`${SMALL_SITE.batchPrefix}001,0.5000`, `${SMALL_SITE.batchPrefix}001,0.1000`),
      }),
      ['online.csv, line 5', 'earlier than on line 4'],
    ],
  ])('because of %s are refused by name, and nothing is changed', async (_, change, said) => {
    const folder = records(change);
    const before = contentOf(folder);
    expectRefusal(await check(folder), ...said);
    expect(contentOf(folder)).toEqual(before);
  });

  it('keep an agent from serving', async () => {
    const folder = records(({ mapping, online }) => ({ mapping: mapping.replace('unit: Cel', 'unit: warmth'), online }));
    const site = join(consortium.folders.sites, 'site-1');
    const before = contentOf(join(site, 'keys'));
    const args = ['--data', site, '--mapping', join(folder, 'mapping.yaml'), '--records', folder];
    expectRefusal(
      await runCommand(AGENT, ['serve', ...args, '--passphrase-file', consortium.passphraseFile('site-1'), '--json']),
      'warmth',
    );
    expect(contentOf(join(site, 'keys'))).toEqual(before);
  });
});

describe('a plan that cannot be run', () => {
  async function publish(name: string, text: string): Promise<CommandResult> {
    const file = join(scratch, `${name}.yaml`);
    writeFileSync(file, text);
    return operator('plan', 'publish', file);
  }

  const status = async (): Promise<{ runs: unknown[]; ledgerSize: number }> => JSON.parse((await operator('status')).stdout) as never;

  it('is refused for an unknown key, with the nearest known one', async () => {
    const before = await status();
    expectRefusal(await publish('unknown-key', plantedPlan(2).replace('rounds: 2', 'runds: 2')), 'runds', 'rounds');
    expect(await status()).toEqual({ ...before, sites: expect.anything() });
  });

  it('is refused for an impossible quorum, with the numbers', async () => {
    const before = await status();
    const published = await publish('impossible', plantedPlan(2).replace('minContributors: 4', 'minContributors: 4, waitFor: all'));
    const plan = (JSON.parse(published.stdout) as { plan?: string }).plan;
    expect(plan).toBeDefined();
    expectRefusal(await operator('launch', plan ?? ''), /3 sites|from 1 to 3/, 'minContributors');
    expect((await status()).runs).toEqual(before.runs);
    expectRefusal(
      await runCommand(COORDINATOR, ['plan', 'explain', join(scratch, 'impossible.yaml'), '--sites', '3', '--json']),
      'minContributors',
    );
  });
});

describe('an invite that does not let a site in', () => {
  let number = 0;

  async function invited(): Promise<{ site: string; file: string; folder: string }> {
    const site = `joiner-${++number}`;
    const file = await consortium.coordinator.invite(site);
    return { site, file, folder: join(scratch, site) };
  }

  function join_(file: string, folder: string, setting: CommandSetting = {}): Promise<CommandResult> {
    return runCommand(AGENT, ['join', file, '--data', folder, '--passphrase-file', consortium.passphraseFile('site-1'), '--json'], setting);
  }

  const preload = (name: string): CommandSetting['nodeArguments'] => [
    '--no-warnings',
    '--import',
    pathToFileURL(join(REPOSITORY, 'test/e2e', name)).href,
  ];

  /** Nothing changed on either side: no member here, and the same invite still lets the site in. */
  async function expectUntouched(file: string, folder: string): Promise<void> {
    expect((await runCommand(AGENT, ['identity', '--data', folder, '--json'])).code).toBe(1);
    expect((await join_(file, folder)).code).toBe(0);
  }

  it('because it was damaged on the way', async () => {
    const { file, folder } = await invited();
    const good = readFileSync(file, 'utf8');
    const bad = join(scratch, 'damaged.json');
    writeFileSync(
      bad,
      good.replace(/"secret": "(.)/, (_, digit: string) => `"secret": "${digit === '0' ? '1' : '0'}`),
    );
    expectRefusal(await join_(bad, folder), /damaged/, /Ask the operator/);
    expect(existsSync(folder) ? readdirSync(folder) : []).toEqual([]);
    await expectUntouched(file, folder);
  });

  it('because the clock of the site is off: both times are named', async () => {
    const { file, folder } = await invited();
    const clock = { nodeArguments: preload('shifted-clock.preload.js')!, environment: { COFERMENT_TEST_CLOCK_SHIFT: String(12 * MINUTE) } };
    const refused = await join_(file, folder, clock);
    expectRefusal(refused, /clock/i);
    expect(refused.stderr.match(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/g)?.length).toBeGreaterThanOrEqual(2);
    await expectUntouched(file, folder);
  });

  it('because the site runs another version: both versions are named', async () => {
    const { file, folder } = await invited();
    const version = { nodeArguments: preload('other-version.preload.js')!, environment: { COFERMENT_TEST_WIRE_VERSION: '9.7' } };
    expectRefusal(await join_(file, folder, version), /9\.7/, /1\.1/);
    await expectUntouched(file, folder);
  });

  it('but lets in a site that is one minor version ahead', async () => {
    const { file, folder } = await invited();
    const version = { nodeArguments: preload('other-version.preload.js')!, environment: { COFERMENT_TEST_WIRE_VERSION: '1.1' } };
    expect((await join_(file, folder, version)).code).toBe(0);
  });
});

describe('a second process on one data folder', () => {
  it('of the coordinator refuses, names the first, and harms nothing', async () => {
    const { folders, coordinator } = consortium;
    const before = await operator('status');
    const second = await runCommand(COORDINATOR, ['start', ...operatorFlags]);
    expectRefusal(second, new RegExp(`${coordinator.pid}`));
    expect(JSON.parse((await operator('status')).stdout)).toEqual(JSON.parse(before.stdout));
    await coordinator.kill();
    await coordinator.restart();
    expect(JSON.parse((await operator('status')).stdout)).toMatchObject({
      ledgerSize: (JSON.parse(before.stdout) as { ledgerSize: number }).ledgerSize,
    });
    expect(existsSync(folders.coordinator)).toBe(true);
  });

  it('of an agent refuses and names the first', async () => {
    const [agent] = consortium.agents;
    await agent!.serve();
    const records = join(consortium.folders.records, 'site-1');
    const args = ['--data', agent!.folder, '--mapping', join(records, 'mapping.yaml'), '--records', records];
    const second = await runCommand(AGENT, ['serve', ...args, '--passphrase-file', consortium.passphraseFile('site-1'), '--json']);
    expectRefusal(second, new RegExp(`${agent!.pid}`));
    expect(consortium.failures).toEqual([]);
    await agent!.kill();
  });
});
