import { describe, expect, it } from 'vitest';
import { SharedReading } from './shared.reading.js';

/** A store whose readings take their value when they begin, and end when the test says so. */
function storeOf() {
  const open: { end: () => void; fail: (error: Error) => void }[] = [];
  const store = { value: 1, readings: 0, open };
  const shared = new SharedReading(() => {
    store.readings += 1;
    const seen = store.value;
    return new Promise<number>((resolve, reject) => open.push({ end: () => resolve(seen), fail: reject }));
  });
  return { store, shared };
}

const turns = async () => {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
};

describe('a reading that is shared', () => {
  it('is one for all who ask before it begins', async () => {
    const { store, shared } = storeOf();
    const answers = [shared.fresh(), shared.fresh(), shared.fresh()];
    await turns();
    store.open[0]!.end();
    expect(await Promise.all(answers)).toEqual([1, 1, 1]);
    expect(store.readings).toBe(1);
  });

  it('never gives what was read before the question: who asks while it runs gets the next one', async () => {
    const { store, shared } = storeOf();
    const first = shared.fresh();
    await turns();
    store.value = 2;
    const later = [shared.fresh(), shared.fresh()];
    await turns();
    expect(store.readings).toBe(1);
    store.open[0]!.end();
    expect(await first).toBe(1);
    await turns();
    store.open[1]!.end();
    expect(await Promise.all(later)).toEqual([2, 2]);
    expect(store.readings).toBe(2);
  });

  it('fails for those who share it, and for nobody after', async () => {
    const { store, shared } = storeOf();
    const first = [shared.fresh(), shared.fresh()].map((answer) => expect(answer).rejects.toThrow('the line is cut'));
    await turns();
    const next = shared.fresh();
    store.open[0]!.fail(new Error('the line is cut'));
    await Promise.all(first);
    await turns();
    store.open[1]!.end();
    expect(await next).toBe(1);
  });
});
