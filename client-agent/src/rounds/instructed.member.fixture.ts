import type { Instruction } from '@coferment/proto';
import type { Member } from './members.fixture.js';
import { PollLoop } from './poll.loop.js';

type Kind = NonNullable<Instruction['kind']>;

/** Lets a site poll a coordinator that answers with these instructions and nothing else, until it has come to what a test waits for. */
export async function followInstructions(member: Member, kinds: readonly Kind[], until: () => boolean, withinMs = 30_000): Promise<void> {
  const stop = new AbortController();
  const instructions = kinds.map((kind) => ({ kind }));
  const endMs = Date.now() + withinMs;
  member.port.poll = () => {
    if (until() || Date.now() > endMs) stop.abort();
    return Promise.resolve({ instructions, runs: [], owed: '1', coordinatorTimeMs: 0, authorities: 0 });
  };
  await new PollLoop(member, { waitMs: 100, renew: () => Promise.resolve(), explain: () => Promise.resolve() }).run(stop.signal);
  if (!until()) throw new Error('the site did not come to it');
}
