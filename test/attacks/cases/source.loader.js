import { registerHooks } from 'node:module';

/** Sources import each other under the names that they have when compiled; a process that runs the sources themselves finds them so. */
registerHooks({
  resolve(specifier, context, next) {
    const source = specifier.startsWith('.') && context.parentURL?.endsWith('.ts') === true;
    return next(source ? specifier.replace(/\.js$/, '.ts') : specifier, context);
  },
});
