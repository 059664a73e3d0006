import { setTimeout as sleep } from 'node:timers/promises';
import type { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import type { ScriptedSite } from '../../coordinator/src/testing/scripted-site.fixture.js';

/** What an agent tries again after, by itself. */
const PASSES: ReadonlySet<unknown> = new Set(['unavailable', 'storage-full', 'storage-failed', 'stopping', 'unreachable']);

/** Lets all sites work in turn, as agents do: what fails for a while is tried again. @returns the codes that they met */
export async function workPatiently(
  sites: readonly ScriptedSite[],
  done: () => Promise<boolean> | boolean,
  seconds = 60,
): Promise<Set<string>> {
  const met = new Set<string>();
  for (const endMs = performance.now() + seconds * 1000; performance.now() < endMs;) {
    for (const site of sites) {
      if (await done()) return met;
      try {
        await site.work();
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : '';
        if (!PASSES.has(code)) throw error;
        met.add(code);
        await sleep(50);
      }
    }
  }
  throw new Error(`the sites did not get there in ${seconds} s; they met: ${[...met].join(', ') || 'no fault'}`);
}

/** A run of three sites in its training sum. */
export async function runInTraining(coordinator: TestCoordinator): Promise<{ sites: ScriptedSite[]; run: string }> {
  const sites = await coordinator.join('alpha', 'beta', 'gamma');
  const run = await coordinator.launch();
  await workPatiently(sites, async () => (await coordinator.run(run)).rounds.some(({ kind }) => kind === 'update'));
  return { sites, run };
}
