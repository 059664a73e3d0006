import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { common, MODULE } from '../../deploy/agent-bundle/program.bundle.js';
import { AgentMember } from '../../demo/src/members/agent.member.js';
import { writePassphrase } from '../../demo/src/members/passphrase.file.js';
import { REPOSITORY } from '../e2e/command.runner.js';
import { TestConsortium } from '../e2e/test.consortium.js';
import { deliver, install, VERSION } from './installed.agent.js';
import { SMALL_SITE, writePlantedRecords } from './planted.records.js';

/** Debian: qemu-user-static, libc6-arm64-cross, libstdc++6-arm64-cross. */
const EMULATOR = '/usr/bin/qemu-aarch64-static';
const LIBRARIES = '/usr/aarch64-linux-gnu';
const possible = process.arch === 'x64' && existsSync(EMULATOR) && existsSync(join(LIBRARIES, 'lib/libstdc++.so.6'));
const wanted = process.env['SOVEREIGNTY_FULL'] === '1';

const run = promisify(execFile);

/** Trains on the repository's toy problem: every bit of the update, on both backends. */
const PROBE = `
import { loadCrypto } from '@coferment/crypto';
import { updateDigest } from './learning/src/training/determinism.fixture.js';
await loadCrypto();
console.log(JSON.stringify({ wasm: await updateDigest('wasm', 5), cpu: await updateDigest('cpu', 5) }));
`;

describe.skipIf(!wanted || !possible)(
  `the bundle for arm64 under emulation (${possible ? 'only with SOVEREIGNTY_FULL=1' : 'skipped: no qemu-aarch64-static and arm64 libraries here'})`,
  () => {
    const folder = temporaryFolder('coferment-arm64');
    const root = join(folder, `coferment-agent-${VERSION}-linux-arm64`);
    const emulated = [EMULATOR, '-L', LIBRARIES, join(root, 'bin/node')] as const;
    const consortium = new TestConsortium();

    beforeAll(async () => {
      const plant = await deliver(folder, VERSION, ['linux-arm64']);
      const archive = join(plant.delivered, plant.release.archives[0]!.file);
      expect(install(plant, '--archive', archive)).toMatchObject({
        code: 1,
        err: expect.stringContaining('is not for this machine') as string,
      });
      execFileSync('tar', ['-xzf', archive, '-C', folder]);
    });
    afterAll(() => consortium.stop());

    it('starts, and says its version', async () => {
      const [program, ...words] = emulated;
      const { stdout } = await run(program, [...words, join(root, 'lib/agent/main.js'), '--version']);
      expect(stdout).toBe(`${VERSION}\n`);
    });

    it('trains the same update as this processor, bit for bit, in WebAssembly and in JavaScript', async () => {
      const file = join(root, 'lib/agent/probe.js');
      await build({
        ...common(REPOSITORY),
        ...MODULE,
        conditions: ['coferment-source'],
        stdin: { contents: PROBE, resolveDir: REPOSITORY },
        outfile: file,
      });
      const [program, ...words] = emulated;
      const there = JSON.parse((await run(program, [...words, file])).stdout) as { wasm: string; cpu: string };
      const here = JSON.parse((await run(process.execPath, [file])).stdout) as typeof there;
      expect(there).toEqual(here);
      expect(new Set(Object.values(here)).size).toBe(2);
    });

    it('joins a coordinator and serves until it is connected', async () => {
      const records = join(folder, 'records');
      mkdirSync(records);
      const setting = {
        site: 'site-a',
        mappingFile: writePlantedRecords(records, 'site-a', SMALL_SITE),
        recordsFolder: records,
        passphraseFile: await writePassphrase(consortium.folders.passphrases, 'site-a'),
        program: { node: emulated, script: join(root, 'lib/agent/main.js') },
      };
      let member: AgentMember;
      await consortium.start();
      await new Promise<void>((resolve, reject) => {
        const event = (_: string, { event: name }: Readonly<Record<string, unknown>>) => void (name === 'connected' && resolve());
        member = new AgentMember(consortium.group, consortium.folders, setting, { event, lost: reject });
        void consortium.coordinator
          .invite('site-a')
          .then((invite) => member.join(invite, '00'.repeat(32)))
          .then(() => member.serve())
          .catch(reject);
      });
      expect(consortium.failures).toEqual([]);
    });
  },
);
