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
  run = 'r',
): WorkItem => ({
  id,
  run,
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

  it.each(['training', 'protocol'] as const)('lets runs take turns in the %s lane, however much one of them has to do', async (lane) => {
    const order: string[] = [];
    const of = (run: string, number: number) =>
      item(`${run}${number}`, () => Promise.resolve((order.push(`${run}${number}`), DONE)), lane, undefined, run);
    const many = [1, 2, 3, 4, 5].map((number) => of('a', number));
    board().offer([...many, of('b', 1), of('b', 2), of('c', 1)], Date.now());
    await sleep(50);
    expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4', 'a5']);
  });

  it('gives a run with always new work no turn before one that waits', async () => {
    const order: string[] = [];
    const made = board();
    const train = (run: string, number: number) =>
      item(
        `${run}${number}`,
        async () => {
          order.push(`${run}${number}`);
          await sleep(20);
          return DONE;
        },
        'training',
        undefined,
        run,
      );
    // As a coordinator that lists the greedy run first and gives it its next round with every poll.
    for (let poll = 1; poll <= 6; poll++) {
      made.offer([train('a', poll), train('b', 1), train('c', 1)], 0);
      await sleep(30);
    }
    expect(order.slice(0, 3)).toEqual(['a1', 'b1', 'c1']);
    expect(order.filter((id) => id.startsWith('a')).length).toBeGreaterThan(2);
  });

  it('has never two trainings at once, of whichever runs', async () => {
    let [now, most] = [0, 0];
    const train = async () => {
      most = Math.max(most, ++now);
      await sleep(10);
      now -= 1;
      return DONE;
    };
    board().offer(
      ['a', 'b', 'c'].map((run) => item(run, train, 'training', undefined, run)),
      Date.now(),
    );
    await sleep(80);
    expect([now, most]).toEqual([0, 1]);
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

describe('a board that is abandoned', () => {
  it('tells nobody what became of work that still ran: the journal is closed by then', async () => {
    const told: string[] = [];
    const made = board();
    const work = async () => {
      await sleep(20);
      throw new Error('the journal is closed');
    };
    made.offer([item('a', work, 'protocol', ({ outcome }) => told.push(outcome))], 0);
    made.abandon();
    await sleep(60);
    expect(told).toEqual([]);
    expect(made.idle).toBe(true);
  });
});
