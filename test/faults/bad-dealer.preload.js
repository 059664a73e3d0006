/** Preloaded by a test: this agent deals the site COFERMENT_TEST_WRONG_SHARE_FOR a share that is not the one it has committed to. */
import { registerHooks } from 'node:module';

const victim = process.env.COFERMENT_TEST_WRONG_SHARE_FOR;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith('/client-agent/dist/rounds/ceremony.handlers.js')) return loaded;
    const source = Buffer.from(loaded.source ?? '').toString();
    const changed = source.replace('const box = sealedDealingShare(', `if (holder === '${victim}') share[100] ^= 1;\n$&`);
    if (changed === source) throw new Error('dealing shares are not sealed where this test looks for it');
    return { ...loaded, source: changed };
  },
});
