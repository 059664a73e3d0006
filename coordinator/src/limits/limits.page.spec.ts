import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS, limitsSchema } from './coordinator.limits.js';
import { parseLimits } from './limits.file.js';
import { LARGEST_MESSAGE, largestMessage } from './message.sizes.js';

const page = readFileSync(join(import.meta.dirname, '../../../docs/limits.md'), 'utf8');
/** The most that a consortium has. */
const SITES = 128;

describe('docs/limits.md', () => {
  it('shows every limit with its usual value, and no other', () => {
    const shown = [...page.matchAll(/^\| `(\w+\.\w+)` \| (\d+) \|/gm)].map(([, name, value]) => [name, Number(value)]);
    const known = Object.entries(DEFAULT_LIMITS).flatMap(([part, limits]) =>
      Object.entries(limits).map(([name, value]) => [`${part}.${name}`, value]),
    );
    expect(shown).toEqual(known);
  });

  it('has an example that is one', () => {
    const [, example = ''] = /```yaml\n([^`]*)```/.exec(page) ?? [];
    const { caller, site } = parseLimits(example);
    expect([caller.callsPer10s, site.unfinishedMiB]).toEqual([20_000, 16_384]);
  });

  it('names the sizes of messages as they are', () => {
    for (const [size, path] of [
      ['16 KiB', 'OperatorService/GetRun'],
      ['257 KiB', 'StatementService/SubmitStatement'],
      ['257 KiB', 'UploadService/Upload'],
      ['260 KiB', 'OperatorService/PublishPlan'],
      ['96 KiB', 'PollingService/Poll'],
    ]) {
      expect(page).toContain(size);
      expect(`${largestMessage(`/coferment.v1.${path}`) / 1024} KiB`, path).toBe(size);
    }
    expect(LARGEST_MESSAGE).toBeLessThan(1024 * 1024);
  });
});

describe('the usual limits', () => {
  it('are more than twice of what 128 honest sites ask for at the most', () => {
    const { caller, site, all } = DEFAULT_LIMITS;
    // A spot check: three blocks and the block digests of each upload and each share (client-agent/src/rounds/spot.check.ts), twice in ten seconds.
    const callsOfACheck = 2 * SITES * (3 + 1);
    expect(2 * callsOfACheck).toBeLessThan(caller.callsPer10s / 2);
    // A held poll and a wait for a checkpoint; every site uploads at once.
    expect(2 * SITES).toBeLessThan(all.callsAtOnce / 2);
    expect(SITES).toBeLessThan(all.uploadsAtOnce / 2);
    expect(1).toBeLessThan(site.pollsHeld / 2);
  });

  it('can each be changed', () => {
    for (const [part, limits] of Object.entries(DEFAULT_LIMITS))
      for (const name of Object.keys(limits))
        expect(limitsSchema.parse({ [part]: { [name]: 7 } })).toMatchObject({ [part]: { [name]: 7 } });
  });
});
