import { describe, expect, it, vi } from 'vitest';
import { withinIdle } from './idle.upload.js';

const pause = (ms: number) => new Promise((go) => setTimeout(go, ms));

describe('an upload that stalls', () => {
  it('is ended when nothing comes, and its source with it', async () => {
    const ended = vi.fn<() => void>();
    const source = async function* () {
      try {
        yield 1;
        await pause(200);
        yield 2;
      } finally {
        ended();
      }
    };
    const got: number[] = [];
    const reading = (async () => {
      for await (const part of withinIdle(source(), 30)) got.push(part);
    })();
    await expect(reading).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining('resume') });
    expect(got).toEqual([1]);
    await vi.waitFor(() => expect(ended).toHaveBeenCalled());
  });

  it('is not one whose receiver is slow, nor one that comes slowly', async () => {
    const source = async function* () {
      for (let part = 0; part < 4; part++) {
        await pause(20);
        yield part;
      }
    };
    const got: number[] = [];
    for await (const part of withinIdle(source(), 100)) {
      got.push(part);
      if (part === 0) await pause(150);
    }
    expect(got).toEqual([0, 1, 2, 3]);
  });

  it('throws what the source throws', async () => {
    // oxlint-disable-next-line require-yield
    const source = async function* (): AsyncGenerator<number> {
      throw new Error('cut');
    };
    await expect(withinIdle(source(), 1000).next()).rejects.toThrow('cut');
  });
});
