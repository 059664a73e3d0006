/** Preloaded by tests: this process speaks the wire version COFERMENT_TEST_WIRE_VERSION, as a build of another release would. */
import { registerHooks } from 'node:module';

const version = process.env.COFERMENT_TEST_WIRE_VERSION;
const WHERE = /WIRE_VERSION = '[^']*'/;

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith('/consortium/dist/context/wire.version.js')) return loaded;
    const source = Buffer.from(loaded.source ?? '').toString();
    if (!WHERE.test(source)) throw new Error('the wire version is not where this test looks for it');
    return { ...loaded, source: source.replace(WHERE, `WIRE_VERSION = '${version}'`) };
  },
});
