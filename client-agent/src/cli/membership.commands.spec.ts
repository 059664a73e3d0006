import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { INVITE_PREFIX, identityWords, pseudonymOf } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import { Command } from 'commander';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeMembership } from '../enrolment/membership.file.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { addMembershipCommands } from './membership.commands.js';

const member = {
  schema: 1 as const,
  consortium: 'acme',
  site: 'alpha',
  identityKey: 'b'.repeat(64),
  coordinator: 'localhost:1',
  serverName: 'localhost',
  caCertificate: '',
  operatorKey: 'c'.repeat(64),
  logVkey: '',
  origin: '',
  certificateExpiresAt: new Date().toISOString(),
};
const words = identityWords('acme', 'alpha', member.identityKey).join(' ');
let folder: string;

beforeAll(loadCrypto);
beforeEach(() => void (folder = temporaryFolder('membership')));

async function agent(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { code: 0, out: '', err: '' };
  const out = vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((said.out += String(text)), true));
  const err = vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((said.err += String(text)), true));
  const program = new Command().exitOverride();
  addMembershipCommands(program);
  try {
    await program.parseAsync(args, { from: 'user' });
    return { ...said, code: Number(process.exitCode ?? 0) };
  } finally {
    process.exitCode = 0;
    out.mockRestore();
    err.mockRestore();
  }
}

describe('coferment-agent join', () => {
  it('refuses the invite as an argument and does not repeat it', async () => {
    const file = join(folder, 'passphrase');
    writeFileSync(file, 'long enough\n', { mode: 0o600 });
    const line = `${INVITE_PREFIX}c2VjcmV0`;
    const said = await agent('join', line, '--data', join(folder, 'data'), '--passphrase-file', file, '--json');
    expect(said.code).toBe(1);
    expect(JSON.parse(said.out)).toMatchObject({ error: { code: 'invite-exposed' } });
    expect(said.out + said.err).not.toContain('c2VjcmV0');
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });
});

describe('coferment-agent identity', () => {
  it('shows the six words beside the key', async () => {
    writeMembership(folder, member);
    expect((await agent('identity', '--data', folder)).out).toContain(words);
    expect(JSON.parse((await agent('identity', '--data', folder, '--json')).out)).toMatchObject({ site: 'alpha', role: 'site', words });
  });

  it('opens nothing where the name is the name', async () => {
    writeMembership(folder, member);
    const said = await agent('identity', '--data', folder, '--open', '--json');
    expect(said.code).toBe(1);
    expect(JSON.parse(said.out)).toMatchObject({ error: { code: 'no-pseudonym' } });
  });

  it('opens a pseudonym when it is asked to, and not before', async () => {
    const opening = { company: 'Müller', salt: '5a'.repeat(32) };
    writeMembership(folder, { ...member, site: pseudonymOf(opening), ...opening });
    expect((await agent('identity', '--data', folder)).out).not.toMatch(/Müller|5a5a/);
    expect(JSON.parse((await agent('identity', '--data', folder, '--open', '--json')).out)).toMatchObject(opening);
  });
});
