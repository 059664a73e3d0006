import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);

/** Runs on the built package: a second process must not share a module cache or a WebAssembly heap with the first. */
const SCRIPT = `
import { initialModel, modelBytes, normalisationFromStatistics, parsePlan } from '@coferment/consortium';
import { sha256Hex } from '@coferment/crypto';
import { buildDataset, initBackend, localStatistics, trainLocal } from '@coferment/learning';
const used = await initBackend(process.argv[1]);
const plan = parsePlan({ schema: 1, plan: 'toy', sample: { every: '1 h', window: '2 h', of: ['temperature'] },
  target: { variable: 'product_concentration' }, model: { kind: 'mlp', hidden: [16, 8] }, training: { epochs: 3, batchSize: 8 } });
const timeH = Float64Array.from({ length: 41 }, (_, i) => i / 2);
const batches = ['a', 'b', 'c', 'd'].map((id, k) => ({ id, scale: 'bench', phaseStarts: {},
  series: { temperature: { timeH, value: timeH.map((t) => 30 + Math.sin(t + k)) } },
  samples: [0, 5, 10, 15, 20].map((t) => ({ timeH: t, values: { product_concentration: t * (1 + k) } })) }));
const dataset = buildDataset(plan, batches);
const normalisation = normalisationFromStatistics(plan, { exact: localStatistics(plan, dataset.train), addends: 1 });
const update = await trainLocal({ plan, modelIn: initialModel(plan, 1, ['a']), dataset, normalisation, seed: new Uint8Array(32) });
process.stdout.write(JSON.stringify({ used, digest: sha256Hex(modelBytes(update.delta)) }));
`;

async function trainInNewProcess(backend: string): Promise<{ used: string; digest: string; noise: string }> {
  const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '-e', SCRIPT, backend], { cwd: import.meta.dirname });
  return { ...(JSON.parse(stdout) as { used: string; digest: string }), noise: stderr };
}

describe('one training in separate processes', () => {
  it.each(['wasm', 'cpu'])('gives the same bits on %s, and prints nothing', async (backend) => {
    const first = await trainInNewProcess(backend);
    expect(first).toMatchObject({ used: backend, noise: '' });
    expect(await trainInNewProcess(backend)).toEqual(first);
  });

  it('falls back to wasm under auto where the native package is not installed', async () => {
    expect((await trainInNewProcess('auto')).used).toBe('wasm');
  });
});
