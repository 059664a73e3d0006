import { defineConfig } from 'vitest/config';

/**
 * Specs run on the TypeScript sources: every workspace exports them under this condition. `import` must not stand here: it would also hold for a
 * dependency's `require`, and CommonJS code (TensorFlow.js requiring `long`) would then get an ES module.
 */
const conditions = ['coferment-source', 'node'];

/** Whole runs that take long, and what needs a small disk of its own; RELIABILITY_FULL=1 adds them to the medium tests. */
const LONG = [
  'client-agent/src/rounds/full-disk.medium.ts',
  'coordinator/src/epochs/renewal.medium.ts',
  'coordinator/src/objects/object-sweep.medium.ts',
  'coordinator/src/operator/approved-stays.medium.ts',
  'coordinator/src/rounds/quorum.medium.ts',
  'coordinator/src/runs/stuck.medium.ts',
  'test/medium/coordinator.storage.medium.ts',
  'test/medium/monitoring-coordinator.medium.ts',
];
const left = process.env['RELIABILITY_FULL'] === '1' ? [] : LONG;

const project = (name: string, include: string[], testTimeout: number) => ({
  // Nest and TypeORM need legacy decorators with emitted metadata; Vitest does not read them from tsconfig.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    name,
    include,
    testTimeout,
    hookTimeout: testTimeout,
    pool: 'forks' as const,
    exclude: ['**/node_modules/**', '**/dist/**', ...left],
  },
});

export default defineConfig({
  test: {
    // One more than the cores of a small machine: tests of real processes wait for each other most of the time.
    maxWorkers: 3,
    projects: [
      project('unit', ['*/src/**/*.spec.ts', 'test/unit/**/*.spec.ts', 'test/load/**/*.spec.ts', 'deploy/**/*.spec.ts'], 60_000),
      project('medium', ['*/src/**/*.medium.ts', 'test/medium/**/*.medium.ts'], 120_000),
      project('e2e', ['test/e2e/**/*.e2e.ts', 'test/sovereignty/**/*.e2e.ts'], 600_000),
      project('demo', ['test/demo/**/*.e2e.ts', 'test/faults/**/*.e2e.ts', 'test/load/**/*.e2e.ts'], 900_000),
      project('faults', ['test/faults/**/*.fault.ts'], 300_000),
      project('attacks', ['test/attacks/**/*.attack.ts'], 300_000),
      project('fuzz', ['test/fuzz/**/*.fuzz.ts'], 300_000),
      project('conformance', ['test/conformance/**/*.conformance.ts'], 300_000),
    ],
  },
});
