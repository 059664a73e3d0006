import { describe, expect, it } from 'vitest';
import { BackoffSchedule } from './backoff.schedule.js';
import { probe } from './connection.probe.js';
import { describeProxy, mapProxyVariables } from './proxy.environment.js';

describe('proxy variables', () => {
  it('are mapped to the names that grpc-js reads, and lower case wins', () => {
    const environment: Record<string, string> = { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: '*.plant.example, localhost' };
    mapProxyVariables(environment);
    expect(environment).toMatchObject({ https_proxy: 'http://proxy:3128', no_proxy: '.plant.example,localhost' });
    const set: Record<string, string> = { HTTPS_PROXY: 'http://a', https_proxy: 'http://b' };
    mapProxyVariables(set);
    expect(set['https_proxy']).toBe('http://b');
  });

  it('are shown without their password', () => {
    expect(describeProxy({ https_proxy: 'http://user:secret@proxy:3128' })).toBe('http://…@proxy:3128');
  });
});

describe('waiting between tries', () => {
  it('doubles to a limit and starts again after success', () => {
    const backoff = new BackoffSchedule(500, 4000, () => 1);
    expect([1, 2, 3, 4, 5].map(() => backoff.nextMs())).toEqual([500, 1000, 2000, 4000, 4000]);
    backoff.reset();
    expect(backoff.nextMs()).toBe(500);
  });
});

describe('the probe', () => {
  it('stops at the step that fails and says what to do', async () => {
    const steps = await probe({ address: '127.0.0.1:1', serverName: 'coordinator', caCertificate: '' });
    expect(steps.map(({ step, ok }) => [step, ok])).toEqual([
      ['dns', true],
      ['tcp', false],
    ]);
    expect(steps[1]?.text).toMatch(/Ask IT to allow outgoing TCP to 127\.0\.0\.1 port 1/);
  });
});
