import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeMembership } from '../enrolment/membership.file.js';
import { Journal } from '../journal/journal.js';
import { addApprovalCommands } from './approval.commands.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';

const PLAN = 'a'.repeat(64);
let folder: string;
let journal: Journal;
let screen: string;

beforeEach(() => {
  folder = temporaryFolder('agent-approval');
  writeMembership(folder, {
    schema: 1,
    consortium: 'acme',
    site: 'a',
    identityKey: 'b'.repeat(64),
    coordinator: 'localhost:1',
    serverName: 'localhost',
    caCertificate: '',
    operatorKey: 'c'.repeat(64),
    logVkey: '',
    origin: '',
    certificateExpiresAt: new Date().toISOString(),
  });
  journal = Journal.open(join(folder, 'journal.sqlite'));
  journal.runs.announce('r1-aaaaaaaaaaaaaaaa', PLAN, 1, ['a', 'b', 'c', 'd']);
  journal.runs.setState('r1-aaaaaaaaaaaaaaaa', 'closed');
  screen = '';
});
afterEach(() => {
  journal.close();
  vi.restoreAllMocks();
  process.exitCode = 0;
});

async function approve(...args: string[]): Promise<void> {
  const recorded = () => journal.approvals.planDecisions().length;
  const write = (text: unknown) => {
    screen += `[${recorded()} recorded] ${String(text)}`;
    return true;
  };
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  const program = new Command();
  addApprovalCommands(program);
  await program.parseAsync(['plans', 'approve', PLAN, '--data', folder, ...args], { from: 'user' });
}

describe('the approval of a second run of a plan', () => {
  it('is refused before its request is here', async () => {
    await approve('--ordinal', '2');
    expect(process.exitCode).toBe(1);
    expect(screen).toMatch(/has not been announced yet/);
    expect(journal.approvals.planDecisions()).toEqual([]);
  });

  it('shows the sites of both runs, and only then is recorded for this list', async () => {
    journal.runs.announce('r2-aaaaaaaaaaaaaaaa', PLAN, 2, ['a', 'b', 'c']);
    await approve('--ordinal', '2');
    expect(screen).toMatch(/^\[0 recorded\] Run 2 .* has the sites a, b, c\.\n.*run 1 .* had the sites a, b, c, d/);
    expect(journal.approvals.planDecision(PLAN, 2, ['a', 'b', 'c'])).toBe('approved');
    expect(journal.approvals.planDecision(PLAN, 2, ['a', 'b', 'd'])).toBe('other-sites');
  });
});
