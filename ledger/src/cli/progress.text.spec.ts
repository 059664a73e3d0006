import { expect, it } from 'vitest';
import { reportProgress } from './progress.text.js';

it('says every two seconds how far a check is, and nothing of a short one', () => {
  const said: string[] = [];
  let now = 0;
  const report = reportProgress(
    (text) => said.push(text),
    () => now,
  );
  for (const [at, done] of [
    [100, 256],
    [1999, 512],
    [2000, 768],
    [3999, 1024],
    [4500, 1280],
  ] as const) {
    now = at;
    report(done, 2000);
  }
  expect(said).toEqual(['checked 768 of 2000 entries\n', 'checked 1280 of 2000 entries\n']);
});
