import { describe, expect, it } from 'vitest';
import { backendInUse, initBackend } from './tensorflow.backend.js';
import { selfCheck } from './self-check.rule.js';

describe('the choice of a backend', () => {
  it('has to be made before anything is computed', () => {
    expect(() => backendInUse()).toThrow(/call initBackend/);
  });

  it('says what to install when the native package is missing', async () => {
    await expect(initBackend('tensorflow')).rejects.toMatchObject({
      code: 'backend-unavailable',
      message: expect.stringContaining('@tensorflow/tfjs-node'),
    });
  });

  it('leaves the error handling of the process alone', async () => {
    const before = ['uncaughtException', 'unhandledRejection'].map((event) => process.listenerCount(event));
    expect(await initBackend('wasm')).toBe('wasm');
    expect(['uncaughtException', 'unhandledRejection'].map((event) => process.listenerCount(event))).toEqual(before);
  });

  it('is checked by a training that falls', () => {
    const losses = selfCheck();
    expect(losses.at(-1)).toBeLessThan(losses[0]!);
  });

  it('can be plain JavaScript', async () => {
    expect(await initBackend('cpu')).toBe('cpu');
    expect(backendInUse()).toBe('cpu');
  });
});
