import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { PolicyFile, settledPolicy, sitePolicy } from './policy.file.js';

let folder: string;
let file: string;
let nowMs: number;
beforeEach(() => {
  folder = temporaryFolder('agent-policy');
  file = join(folder, 'policy.yaml');
  nowMs = 0;
});

const write = (text: string) => writeFileSync(file, text);
const floorOf = (policy: { current(): { policy: { rules: { minContributors?: number | undefined } } } }) =>
  policy.current().policy.rules.minContributors;

describe('a policy file that is changed while the agent serves', () => {
  let policy: PolicyFile;
  beforeEach(() => {
    write('schema: 1\nrules: { minContributors: 5 }');
    policy = new PolicyFile(file, undefined, () => nowMs);
    expect(floorOf(policy)).toBe(5);
  });

  it('holds from the moment on in which it has stayed the same for a second', () => {
    write('schema: 1\nrules: { minContributors: 7 }');
    expect(floorOf(policy)).toBe(5);
    nowMs = 999;
    expect(floorOf(policy)).toBe(5);
    nowMs = 1000;
    expect(floorOf(policy)).toBe(7);
  });

  it('is never taken half written: half a file has half the rules', () => {
    write('schema: 1\n');
    expect(floorOf(policy)).toBe(5);
    nowMs = 500;
    write('schema: 1\nrules: { minContributors: 6 }');
    expect(floorOf(policy)).toBe(5);
    nowMs = 1400;
    expect(floorOf(policy)).toBe(5);
    nowMs = 1500;
    expect(floorOf(policy)).toBe(6);
  });

  it.each([
    ['is broken', () => write('schema: 1\nrules: { minContributor: 5 }'), 'policy-invalid'],
    ['is empty', () => write(''), 'policy-invalid'],
    ['has vanished', () => rmSync(file), 'policy-missing'],
  ])('stops everything when it %s, and never stands for no rules', (_what, damage, code) => {
    damage();
    const now = () => {
      try {
        return floorOf(policy);
      } catch (error) {
        return (error as { code: string }).code;
      }
    };
    expect([5, code]).toContain(now());
    nowMs = 1000;
    expect(now()).toBe(code);
    expect(now()).toBe(code);
    write('schema: 1\nrules: { minContributors: 5 }');
    expect(floorOf(policy)).toBe(5);
  });
});

describe('the policy of a data folder', () => {
  it('is policy.yaml from the moment on in which it is there, and then has to stay', () => {
    const policy = sitePolicy(folder, undefined, () => nowMs);
    expect(policy.current()).toMatchObject({ file: null, digest: null, policy: { whenAllHold: 'ask' } });
    // Its beginning would approve everything.
    write('schema: 1\nwhenAllHold: approve\n');
    expect(policy.current()).toMatchObject({ file: null, digest: null, policy: { whenAllHold: 'ask' } });
    nowMs = 900;
    write('schema: 1\nwhenAllHold: approve\nrules: { minContributors: 5 }');
    expect(policy.current()).toMatchObject({ digest: null, policy: { whenAllHold: 'ask' } });
    nowMs = 1899;
    expect(policy.current()).toMatchObject({ digest: null, policy: { whenAllHold: 'ask' } });
    nowMs = 1900;
    expect(floorOf(policy)).toBe(5);
    rmSync(file);
    expect(() => policy.current()).toThrow(expect.objectContaining({ code: 'policy-missing' }));
  });

  it('is read at a start only when nobody has written into it for a moment', async () => {
    write('schema: 1\nwhenAllHold: approve\n');
    const started = settledPolicy(folder, undefined);
    await sleep(300);
    write('schema: 1\nwhenAllHold: approve\nrules: { minContributors: 5 }');
    expect(floorOf(await started)).toBe(5);
  });

  it('is the named file and no other, and that must be there', () => {
    write('schema: 1');
    expect(() => sitePolicy(folder, join(folder, 'other.yaml')).current()).toThrow(/other.yaml cannot be read.*this site does nothing/s);
    expect(sitePolicy(folder, file).current()).toMatchObject({ file, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
  });
});
