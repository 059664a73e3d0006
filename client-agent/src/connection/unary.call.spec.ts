import { type CallOptions, type ClientUnaryCall, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { describe, expect, it } from 'vitest';
import { unary } from './unary.call.js';

type Done = (error: ServiceError | null, response: string) => void;

/** Answers each call with the next of `answers`: a time to wait, or a word. */
function coordinator(answers: (number | string)[]) {
  const atMs: number[] = [];
  const method = (_request: object, _metadata: Metadata, options: Partial<CallOptions>, done: Done) => {
    atMs.push(performance.now());
    expect(Number(options.deadline) - Date.now()).toBeGreaterThan(0);
    const answer = answers.shift()!;
    if (typeof answer === 'string') queueMicrotask(() => done(null, answer));
    else {
      const metadata = new Metadata();
      metadata.set('coferment-code', 'too-many');
      metadata.set('coferment-retry-after-ms', String(answer));
      queueMicrotask(() => done(Object.assign(new Error('too many'), { code: status.RESOURCE_EXHAUSTED, details: '', metadata }), ''));
    }
    return { cancel: () => undefined } as ClientUnaryCall;
  };
  return { atMs, method };
}

describe('a call that the coordinator has no time for', () => {
  it('is made again after the time that it was told, and not before', async () => {
    const { atMs, method } = coordinator([120, 60, 'done']);
    expect(await unary(method, {}, { what: 'A call', deadlineMs: 5000 })).toBe('done');
    expect(atMs).toHaveLength(3);
    expect(atMs[1]! - atMs[0]!).toBeGreaterThanOrEqual(118);
    expect(atMs[2]! - atMs[1]!).toBeGreaterThanOrEqual(58);
  });

  it('is given up at once when its time is over before that', async () => {
    const { atMs, method } = coordinator([60_000]);
    const refused = unary(method, {}, { what: 'A call', deadlineMs: 500 });
    await expect(refused).rejects.toMatchObject({ code: 'unreachable', retryAfterMs: 60_000 });
    expect(atMs).toHaveLength(1);
  });

  it('is not made again once nobody wants it any more', async () => {
    const { atMs, method } = coordinator([3000, 'done']);
    const gone = new AbortController();
    setTimeout(() => gone.abort(), 50);
    await expect(unary(method, {}, { what: 'A call', deadlineMs: 5000, signal: gone.signal })).rejects.toThrow('given up');
    expect(atMs).toHaveLength(1);
  });
});
