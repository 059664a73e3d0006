import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planBytes, runId } from '@coferment/consortium';
import { generateIdentity, loadCrypto, sha256Hex } from '@coferment/crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { statusReport } from '../status/status.report.js';
import { createMember, fixturePlan, type Member, SharedBoard } from './members.fixture.js';
import { PollLoop } from './poll.loop.js';

beforeAll(loadCrypto);

const canMount = process.getuid?.() === 0 && mounts();

function mounts(): boolean {
  const folder = mkdtempSync(join(tmpdir(), 'mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe.skipIf(!canMount)('a site whose disk is full (needs root, to mount a small one)', () => {
  let temporary: string | undefined;
  let disk: string;
  let board: SharedBoard;
  let member: Member;

  beforeEach(() => {
    disk = mkdtempSync(join(tmpdir(), 'full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m,mode=0700', 'tmpfs', disk]);
    temporary = process.env['TMPDIR'];
    process.env['TMPDIR'] = disk;
    board = new SharedBoard();
    member = createMember('a', board, generateIdentity().publicKey);
    if (temporary === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = temporary;
    expect(member.folder.startsWith(disk)).toBe(true);
  });
  afterEach(() => {
    member.journal.close();
    execFileSync('umount', ['-l', disk]);
    rmSync(disk, { recursive: true, force: true });
  });

  const ballast = () => join(disk, 'ballast');
  const fill = () => {
    const file = openSync(ballast(), 'a');
    const page = Buffer.alloc(4096);
    while (statfsSync(disk).bavail > 0) writeSync(file, page);
    closeSync(file);
  };
  const room = () => rmSync(ballast(), { force: true });

  /** Polls against a coordinator that owes one approval, until `done`. */
  async function serve(done: () => boolean): Promise<void> {
    const bytes = planBytes(fixturePlan());
    const plan = sha256Hex(bytes);
    board.objects.set(plan, bytes);
    const approvePlan = { run: runId(plan, 1), ordinal: 1, plan, sites: ['a', 'b', 'c'] };
    const instructions = [{ kind: { $case: 'approvePlan' as const, approvePlan } }];
    const stop = new AbortController();
    const endMs = performance.now() + 20_000;
    member.port.poll = () => {
      if (done() || performance.now() > endMs) stop.abort();
      return Promise.resolve({ instructions, runs: [], owed: '1', coordinatorTimeMs: 0, authorities: 0 });
    };
    const nothing = () => Promise.resolve();
    const settings = { waitMs: 100, renew: nothing, explain: nothing, authorities: () => 0, newAuthorities: () => undefined };
    await new PollLoop(member, settings).run(stop.signal);
  }

  it('sends nothing, says what to do once, and goes on without a restart when there is room', async () => {
    const sent: string[] = [];
    member.port.submitStatement = (envelope) => Promise.resolve(void sent.push(envelope.payload));
    fill();
    let isFull = true;
    let whileFull: unknown;
    setTimeout(() => {
      const told = member.events.filter(({ event }) => event === 'storage-failed');
      whileFull = { told, runs: member.journal.runs.all(), sent: [...sent] };
      room();
      isFull = false;
    }, 3000);
    await serve(() => !isFull && member.journal.activity.waits().length === 1);
    const told = [{ code: 'ENOSPC', message: expect.stringMatching(/Make room there/) as string }];
    expect(whileFull).toMatchObject({ told, runs: [], sent: [] });
    expect(member.events.map(({ event }) => event)).toContain('storage-recovered');
    expect(member.journal.activity.waits()).toMatchObject([{ reason: expect.stringMatching(/plan/i) as string }]);
    expect(member.journal.activity.refusals(10)).toEqual([]);
  });

  it('is shown by the status, which can still be read', () => {
    const membership = { site: 'a', consortium: 'acme', coordinator: 'x:1', certificateExpiresAt: '' } as never;
    expect(statusReport(member.folder, membership, member.journal).storage).toBeNull();
    fill();
    expect(statusReport(member.folder, membership, member.journal).storage).toMatch(/no room left in .*ENOSPC.*Nothing is signed or sent/);
    room();
    expect(statusReport(member.folder, membership, member.journal).storage).toBeNull();
  });

  it('stores an object whole or not at all', async () => {
    fill();
    async function* pieces() {
      yield new Uint8Array(200_000);
    }
    await expect(member.objects.write(pieces())).rejects.toMatchObject({ code: 'ENOSPC' });
    expect(() => member.objects.store(new Uint8Array(200_000))).toThrow(/ENOSPC/);
    room();
    const digest = await member.objects.write(pieces());
    expect(member.objects.read(digest)?.length).toBe(200_000);
  });
});
