import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';
import { common, MODULE } from '../../deploy/agent-bundle/program.bundle.js';
import { REPOSITORY } from '../e2e/command.runner.js';
import { TestConsortium } from '../e2e/test.consortium.js';
import { deliver } from './installed.agent.js';
import { bootSystemd, type IsolatedSystemd, systemdPossible } from './isolated.systemd.js';
import { SMALL_SITE, writePlantedRecords } from './planted.records.js';

const wanted = process.env['SOVEREIGNTY_FULL'] === '1';
const possible = wanted && systemdPossible();

/** What an agent does in a round, without a round: training in WebAssembly, a thread that encrypts, a name that is looked up. */
const PROBE = `
import { lookup } from 'node:dns/promises';
import { loadCrypto } from '@coferment/crypto';
import { Piscina } from 'piscina';
import { updateDigest } from './learning/src/training/determinism.fixture.js';
await loadCrypto();
const pool = new Piscina({ filename: import.meta.resolve('@coferment/crypto/worker'), execArgv: [] });
const { code } = await pool.run({ work: { kind: 'encrypt', input: { parameters: { set: 'no such set' } } }, range: { from: 0, to: 1 } });
await pool.destroy();
const { address } = await lookup('localhost', 4);
console.log('probe', (await updateDigest('wasm', 5)).length, code, address);
`;

/** The commands of the README's numbered steps, as they stand there. */
function readmeBlocks(): string[] {
  const text = readFileSync(join(REPOSITORY, 'deploy/systemd/README.md'), 'utf8').split('\n## ')[0] ?? '';
  return [...text.matchAll(/^ {3}```\n([\s\S]*?)^ {3}```/gm)].map(([, block = '']) => block.replaceAll(/^ {3}/gm, ''));
}

function block(naming: string): string {
  const found = readmeBlocks().filter((each) => each.includes(naming));
  expect(found, naming).toHaveLength(1);
  return `set -e\nsudo() { "$@"; }\n${found[0]}`;
}

describe.skipIf(!possible)(
  `the systemd unit (${wanted && !possible ? 'skipped: needs root that may mount, and systemd 250' : 'only with SOVEREIGNTY_FULL=1'})`,
  () => {
    const folder = temporaryFolder('coferment-systemd');
    const files = join(folder, 'files');
    const consortium = new TestConsortium();
    let systemd: IsolatedSystemd;

    beforeAll(async () => {
      const plant = await deliver(folder);
      mkdirSync(join(files, 'root'), { recursive: true });
      cpSync(plant.delivered, join(files, 'root/release'), { recursive: true });
      const records = join(files, 'mnt/historian-export');
      cpSync(writePlantedRecords(records, 'site-a', SMALL_SITE), join(files, 'etc/coferment-agent/mapping.yaml'), { recursive: true });
      mkdirSync(join(files, 'srv/coferment-records'), { recursive: true });
      await consortium.start();
      cpSync(await consortium.coordinator.invite('site-a'), join(files, 'root/invite.json'));
      await build({
        ...common(REPOSITORY),
        ...MODULE,
        conditions: ['coferment-source'],
        stdin: { contents: PROBE, resolveDir: REPOSITORY },
        outfile: join(files, 'root/probe.js'),
      });
      systemd = await bootSystemd(folder);
    });
    afterAll(async () => {
      systemd?.stop();
      await consortium.stop();
    });

    const ok = (script: string): string => {
      const { code, out } = systemd.run(script);
      expect(code, out).toBe(0);
      return out;
    };

    it('is installed with its user by the first step', () => {
      ok(`systemctl start dbus; sh /root/release/install.sh`);
      ok(`cd /opt/coferment-agent/current; ${block('systemd-sysusers')}`);
      expect(ok('id coferment-agent')).toContain('coferment-agent');
    });

    it('gets the passphrase as an encrypted credential, and joins with it', () => {
      // Nobody is here to be asked for it.
      ok(block('systemd-creds').replace(/systemd-ask-password[^|]*\|/, 'printf "a passphrase of this test" |'));
      expect(ok('cat /etc/credstore.encrypted/coferment-passphrase')).not.toContain('a passphrase');
      expect(ok(`cd /root; ${block('systemd-run')}`)).toContain('Site site-a has joined');
      expect(ok('stat -c "%U %a" /var/lib/coferment-agent')).toBe('coferment-agent 700\n');
    });

    it('runs with the records of another folder, and is connected', () => {
      const dropIn = readmeBlocks().find((each) => each.includes('/mnt/historian-export:'))!;
      ok(
        `mkdir -p /etc/systemd/system/coferment-agent.service.d; cat > /etc/systemd/system/coferment-agent.service.d/records.conf <<'E'\n${dropIn}E\nsystemctl daemon-reload`,
      );
      // Without following the log, which has no end.
      ok(block('enable --now').replace(/^journalctl .*/m, ''));
      const log = ok(
        'for i in $(seq 60); do journalctl -u coferment-agent | grep -q Connected && break; sleep 1; done; journalctl -u coferment-agent',
      );
      expect(log).toContain('Site site-a serves test-consortium');
      expect(log).toContain('Connected.');
    });

    it('runs without rights: no capability, no new privileges, a filter of system calls, nothing to write to', () => {
      const status = ok('cat /proc/$(systemctl show -p MainPID --value coferment-agent)/status');
      expect(status).toMatch(/^CapEff:\t0+$/m);
      expect(status).toMatch(/^NoNewPrivs:\t1$/m);
      expect(status).toMatch(/^Seccomp:\t2$/m);
    });

    const probe = (change: string) => {
      const program = 'ExecStart=/opt/coferment-agent/current/bin/node /opt/coferment-agent/current/lib/agent/probe.js';
      return systemd.run(`cp /root/probe.js /opt/coferment-agent/current/lib/agent/
        sed 's#^ExecStart=.*#${program}#; s#^Restart=.*#Restart=no#; ${change}' /etc/systemd/system/coferment-agent.service > /run/systemd/system/probe.service
        systemctl daemon-reload; systemctl start probe
        for i in $(seq 60); do systemctl is-active -q probe || break; sleep 1; done; journalctl -u probe -n 30`).out;
    };

    it('lets the agent train in WebAssembly, encrypt in threads and look names up', () => {
      expect(probe('')).toContain('probe 64 bad-parameters 127.0.0.1');
    });

    it('would not let it start with MemoryDenyWriteExecute=yes', () => {
      const log = probe('s#MemoryDenyWriteExecute=no#MemoryDenyWriteExecute=yes#');
      expect(log).toMatch(/code=killed|code=dumped/);
    });
  },
);
