import { describe, expect, it } from 'vitest';
import type { RoundView } from '../run/run.view.js';
import { DropSiteFault } from './drop-site.fault.js';
import { requireBearable } from './fault.choice.js';
import { KillCoordinatorFault } from './kill-coordinator.fault.js';

function round(number: number, state: string, kind = 'update'): RoundView {
  const rest = { attempt: 1, counted: [], excluded: [], cause: '', uploadBytes: 0, openedMs: 0, closedMs: 0 };
  return { round: number, state, kind, sum: number, ...rest };
}

describe('drop-site', () => {
  it('kills the site once, in mid-training of the round, and starts it two rounds later', async () => {
    const acts: string[] = [];
    const dropped = { site: 'b', kill: async () => void acts.push('kill'), serve: async () => void acts.push('serve') };
    const fault = new DropSiteFault(dropped, 3, () => undefined);
    fault.roundMoved(round(9, 'training'));
    fault.agentEvent('a', { event: 'instruction', kind: 'prepareSum', round: 3 });
    fault.agentEvent('b', { event: 'instruction', kind: 'prepareSum', round: 2 });
    fault.agentEvent('b', { event: 'sent', kind: 'update', round: 3 });
    expect(acts).toEqual([]);
    fault.agentEvent('b', { event: 'instruction', kind: 'prepareSum', round: 3 });
    fault.agentEvent('b', { event: 'instruction', kind: 'prepareSum', round: 3 });
    fault.roundMoved(round(3, 'uploading'));
    fault.roundMoved(round(4, 'training'));
    await fault.settled();
    expect(acts).toEqual(['kill']);
    fault.roundMoved(round(0, 'training', 'evaluate'));
    fault.roundMoved(round(5, 'training'));
    fault.roundMoved(round(6, 'training'));
    await fault.settled();
    expect(acts).toEqual(['kill', 'serve']);
  });

  it('is refused where no site can be missed, with what to do', () => {
    expect(() => requireBearable('drop-site', 10, { sites: 3, bearable: 0 })).toThrow(
      /with 3 sites every one must sign each round. Use at least 4 sites/,
    );
    expect(() => requireBearable('drop-site', 2, { sites: 5, bearable: 1 })).toThrow(/at least 3 rounds/);
    expect(() => requireBearable('drop-site', 3, { sites: 4, bearable: 1 })).not.toThrow();
    expect(() => requireBearable('kill-coordinator', 1, { sites: 3, bearable: 0 })).not.toThrow();
  });
});

describe('kill-coordinator', () => {
  it('kills once while updates of the round arrive, and waits until it is back', async () => {
    const acts: string[] = [];
    const coordinator = { kill: async () => void acts.push('kill'), restart: async () => void acts.push('restart') };
    const fault = new KillCoordinatorFault(coordinator, 5, () => undefined);
    for (const state of ['training', 'ready']) fault.roundMoved(round(5, state));
    fault.roundMoved(round(4, 'uploading'));
    expect(acts).toEqual([]);
    fault.roundMoved(round(5, 'uploading'));
    fault.roundMoved(round(5, 'uploading'));
    await fault.settled();
    expect(acts).toEqual(['kill', 'restart']);
  });

  it('says so when the coordinator does not come back', async () => {
    const coordinator = { kill: async () => undefined, restart: () => Promise.reject(new Error('the folder is locked')) };
    const fault = new KillCoordinatorFault(coordinator, 1, () => undefined);
    fault.roundMoved(round(1, 'uploading'));
    await expect(fault.settled()).rejects.toThrow('the folder is locked');
  });
});
