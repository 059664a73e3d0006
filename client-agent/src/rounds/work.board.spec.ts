import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { DONE, LATER, type Outcome } from './site.context.js';
import { type Lane, WorkBoard, type WorkItem } from './work.board.js';

const boards: WorkBoard[] = [];
afterEach(() => boards.splice(0).forEach((board) => board.stop()));

function board(): WorkBoard {
  const made = new WorkBoard();
  boards.push(made);
  return made;
}

const item = (
  id: string,
  work: () => Promise<Outcome>,
  lane: Lane = 'protocol',
  settled: WorkItem['settled'] = () => undefined,
): WorkItem => ({
  id,
  lane,
  work,
  settled,
});

describe('the work board', () => {
  it('signs while a training runs', async () => {
    const order: string[] = [];
    const training = async () => {
      await sleep(60);
      order.push('trained');
      return DONE;
    };
    const signing = () => {
      order.push('signed');
      return Promise.resolve(DONE);
    };
    board().offer([item('train', training, 'training'), item('sign', signing)], Date.now());
    await sleep(120);
    expect(order).toEqual(['signed', 'trained']);
  });

  it('does a request once, and again only when a later poll still lists it', async () => {
    let done = 0;
    const work = () => Promise.resolve(((done += 1), DONE));
    const made = board();
    const polledMs = Date.now();
    made.offer([item('a', work)], polledMs);
    await sleep(30);
    made.offer([item('a', work)], polledMs);
    await sleep(30);
    expect(done).toBe(1);
    made.offer([item('a', work)], Date.now() + 1);
    await sleep(700);
    expect(done).toBe(2);
  });

  it('goes on with what waited as soon as something else is done', async () => {
    let applied = false;
    const prepare = () => Promise.resolve(applied ? DONE : LATER);
    const apply = async () => {
      await sleep(50);
      applied = true;
      return DONE;
    };
    const settled: string[] = [];
    const made = board();
    made.offer([item('prepare', prepare, 'training', ({ outcome }) => settled.push(outcome)), item('apply', apply)], Date.now());
    await sleep(150);
    expect(settled).toEqual(['later', 'done']);
  });

  it('reports a failure, tries again, and forgets what is no longer owed', async () => {
    const outcomes: string[] = [];
    const fail = () => Promise.reject(new Error('no'));
    const made = board();
    made.offer([item('a', fail, 'protocol', ({ outcome }) => outcomes.push(outcome))], Date.now());
    await sleep(700);
    expect(outcomes).toEqual(['failed', 'failed']);
    made.offer([], Date.now());
    await sleep(1200);
    expect(outcomes).toHaveLength(2);
  });
});
