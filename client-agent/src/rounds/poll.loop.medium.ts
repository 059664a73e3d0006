import { planBytes, runId } from '@coferment/consortium';
import { generateIdentity, loadCrypto, sha256Hex } from '@coferment/crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { createMember, fixturePlan, removeMember, SharedBoard } from './members.fixture.js';
import { PollLoop } from './poll.loop.js';

beforeAll(loadCrypto);

describe('a plan that tries to write to the terminal', () => {
  it('is refused in plain text, on the screen and in the journal', async () => {
    const board = new SharedBoard();
    const document = JSON.parse(Buffer.from(planBytes(fixturePlan())).toString('utf8')) as object;
    const bytes = Buffer.from(JSON.stringify({ ...document, '\u001b[2J\u009b1;1Happroved': 1 }));
    const plan = sha256Hex(bytes);
    board.objects.set(plan, bytes);
    const member = createMember('a', board, generateIdentity().publicKey);
    const stop = new AbortController();
    const approvePlan = { run: runId(plan, 1), ordinal: 1, plan, sites: ['a', 'b', 'c'] };
    const instructions = [{ kind: { $case: 'approvePlan' as const, approvePlan } }];
    member.port.poll = () => Promise.resolve({ instructions, runs: [], owed: '1', coordinatorTimeMs: 0, authorities: 0 });
    member.tell = (event) => {
      member.events.push(event);
      if (event.event === 'refused') stop.abort();
    };
    const loop = new PollLoop(member, {
      waitMs: 100,
      renew: () => Promise.resolve(),
      authorities: () => 0,
      newAuthorities: () => undefined,
      explain: () => Promise.resolve(),
    });
    await loop.run(stop.signal);
    const refused = member.events.find((event) => event.event === 'refused');
    const [stored] = member.journal.activity.refusals(1);
    for (const text of [refused?.message, stored?.message]) {
      expect(text).toContain('approved');
      // oxlint-disable-next-line no-control-regex -- what must not be there
      expect(text).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }
    removeMember(member);
  });
});
