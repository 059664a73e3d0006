import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.ts';
import { has } from '../agent-bundle/installer.fixture.ts';

const UNITS = readdirSync(import.meta.dirname).filter((file) => file.endsWith('.service'));
/** In tenths, as systemd-analyze takes it (1.3 of 10, by systemd 252). What is left is mostly the network that they work over, and a JIT compiler. */
const MOST_EXPOSED = 13;

const text = (unit: string): string => readFileSync(join(import.meta.dirname, unit), 'utf8');

/** Runs on a copy whose program exists here: `verify` looks for it. */
function analyze(unit: string, change: (text: string) => string, ...words: readonly string[]) {
  const file = join(temporaryFolder('coferment-unit'), unit);
  writeFileSync(file, change(text(unit).replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true')));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', [...words, file], { encoding: 'utf8' });
  return { status, output: stdout + stderr };
}

describe.skipIf(!has('systemd-analyze')).each(UNITS)('%s (skipped where there is no systemd-analyze)', (unit) => {
  const same = (whole: string): string => whole;
  const exposure = ['security', '--offline=true', `--threshold=${MOST_EXPOSED}`];

  it('is understood by systemd, every line of it', () => {
    expect(analyze(unit, same, 'verify')).toEqual({ status: 0, output: '' });
    expect(analyze(unit, (whole) => `${whole}\n[Service]\nProtectEverything=yes\n`, 'verify').output).toContain('ProtectEverything');
  });

  it(`is exposed by no more than ${MOST_EXPOSED / 10}`, () => {
    expect(analyze(unit, same, ...exposure)).toMatchObject({ status: 0 });
  });

  it.each(['SystemCallFilter=@system-service\nSystemCallFilter=~@privileged @resources', 'CapabilityBoundingSet=', 'ProtectSystem=strict'])(
    'would be exposed by more without %s',
    (line) => {
      expect(text(unit)).toContain(`\n${line}\n`);
      expect(analyze(unit, (whole) => whole.replace(`\n${line}\n`, '\n'), ...exposure).status).not.toBe(0);
    },
  );
});

describe.each(UNITS)('%s', (unit) => {
  it('leaves V8 its executable pages', () => {
    expect(text(unit)).toContain('\nMemoryDenyWriteExecute=no\n');
  });

  it('has its passphrase from a credential and from nowhere else', () => {
    expect(text(unit)).toContain('\nLoadCredentialEncrypted=coferment-passphrase:');
    expect(text(unit)).not.toMatch(/^Environment=/m);
    expect(text(unit).match(/--passphrase-file (\S+)/)?.[1]).toBe('${CREDENTIALS_DIRECTORY}/coferment-passphrase');
  });
});
