import { loadCrypto } from '@coferment/crypto';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Instruction } from '../connection/instruction.parser.js';
import { statusReport } from '../status/status.report.js';
import { renderStatus } from '../status/status.text.js';
import type { ScriptedConsortium } from './consortium.fixture.js';
import { encrypt, prepareSum } from './contribution.handlers.js';
import { laneOf } from './instruction.router.js';
import { followInstructions } from './instructed.member.fixture.js';
import type { Member } from './members.fixture.js';
import { inTraining } from './opened.consortia.fixture.js';

const UPDATE = 5;
const NOON = Date.UTC(2026, 5, 1, 12);
const EVENING = Date.UTC(2026, 5, 1, 20, 30);
const NIGHTS = 'schema: 1\nschedule: { trainBetween: ["20:00", "06:00"], timeZone: UTC }';
let consortium: ScriptedConsortium;
let a: Member;

beforeAll(async () => {
  await loadCrypto();
  consortium = await inTraining(['a', 'b', 'c'], 4);
  a = consortium.member('a');
});
beforeEach(() => a.policy.set(NIGHTS));
afterEach(() => vi.restoreAllMocks());

const at = (ms: number) => vi.spyOn(Date, 'now').mockReturnValue(ms);
const nonced = (name: ReturnType<ScriptedConsortium['name']>) => consortium.noncesOf(name).map(({ site }) => site);
const prepare = (name: ReturnType<ScriptedConsortium['name']>) =>
  ({ id: '', run: consortium.run, kind: 'prepareSum', body: { name } }) as Instruction;

/** The tests go on from one another. */
describe('a site that trains at night', () => {
  it('does not begin at noon, says until when, and has taken part in no round', async () => {
    at(NOON);
    const trained = a.trainer.trained;
    expect(await prepareSum(a, { name: consortium.name('update', UPDATE, 1) })).toEqual({
      outcome: 'waiting',
      reason: expect.stringMatching(/waits until 2026-06-01 20:00 \(UTC\)\. This site trains only between 20:00 and 06:00/),
      whatToDo: '',
    });
    expect(a.trainer.trained).toBe(trained);
    expect(a.journal.runs.trainingRoundsSince(0, { run: '', round: 0 })).toBe(0);
    expect(nonced(consortium.name('update', UPDATE, 1))).toEqual([]);
  });

  it('shows that as something that goes on by itself, and not as a question to its people', async () => {
    const { run, epoch, sum, kind, round, attempt } = consortium.name('update', UPDATE, 1);
    // Only this clock: the loop has one that goes on.
    a.policy.set('schema: 1\nschedule: { trainBetween: ["00:00", "00:01"], timeZone: UTC }');
    vi.spyOn(Date, 'now').mockImplementation(() => NOON + performance.now());
    const prepareSumOf = { $case: 'prepareSum' as const, prepareSum: { name: { run, epoch, sum, kind, round, attempt } } };
    await followInstructions(a, [prepareSumOf], () => a.journal.activity.waits().length > 0);
    const member = { site: 'a', consortium: 'acme', coordinator: 'c', certificateExpiresAt: 'later' } as Parameters<typeof statusReport>[1];
    const report = statusReport(a.folder, member, a.journal);
    expect([report.waits, report.later]).toMatchObject([[], [{ subject: `prepareSum ${UPDATE}` }]]);
    const text = renderStatus(report);
    expect(text).toMatch(/keeps nobody waiting/);
    expect(text).toMatch(/Goes on by itself:\n.*Training for sum 5 waits until 2026-06-02 00:00 \(UTC\)/);

    // The coordinator has gone on without this site: nothing waits any more.
    await followInstructions(a, [], () => a.journal.activity.waits().length === 0);
  });

  it('waits in the lane of trainings, and gives the keys of an epoch beside it', () => {
    expect(laneOf(a, prepare(consortium.name('update', UPDATE, 1)))).toBe('training');
    expect(laneOf(a, prepare(consortium.name('confirm', 1)))).toBe('protocol');
  });

  it('trains in the evening', async () => {
    at(EVENING);
    const name = consortium.name('update', UPDATE, 1);
    for (const member of consortium.members) expect(await prepareSum(member, { name })).toEqual({ outcome: 'done' });
    expect(nonced(name)).toEqual(['a', 'b', 'c']);
  });

  it('gives, encrypts, signs and opens what it has trained at any time, also in a new attempt', async () => {
    at(NOON);
    const trained = a.trainer.trained;
    const name = consortium.name('update', UPDATE, 1, 2);
    expect(laneOf(a, prepare(name))).toBe('protocol');
    for (const member of consortium.members) expect(await prepareSum(member, { name })).toEqual({ outcome: 'done' });
    const nonces = consortium.noncesOf(name);
    for (const member of consortium.members) await encrypt(member, { name, nonces });
    const frozen = consortium.frozen(name, ['a', 'b', 'c']);
    await consortium.publish(await consortium.open(frozen, await consortium.certify([frozen])));
    expect(a.journal.models.progress(consortium.run).appliedSum).toBe(UPDATE);
    expect(a.trainer.trained).toBe(trained);
  });

  it('waits again with the next round, until the file says otherwise', async () => {
    at(NOON);
    const name = consortium.name('update', UPDATE + 1, 2);
    expect(await prepareSum(a, { name })).toMatchObject({ outcome: 'waiting' });
    a.policy.set('schema: 1');
    expect(await prepareSum(a, { name })).toEqual({ outcome: 'done' });
  });
});
