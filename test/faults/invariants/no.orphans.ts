import type { Invariant } from './stores.js';

/** Names the object folder, so that replicas notice when they do not share one (docs/replicas.md). */
const NAME_OF_STORE = 'store.json';
const OVER = ['completed', 'aborted', 'failed'];

/**
 * Every file of the object store has a row, every row its file, and nothing half-made is left over. At rest, when all runs are over: while work is under
 * way there are drafts and parts of uploads.
 */
export const noOrphans: Invariant = {
  name: 'no orphan files',
  violations: ({ runs, objects, files }) => {
    const rows = new Map(objects.map(({ digest, size }) => [digest, size]));
    const sizes = new Map(files.map(({ path, size }) => [path, size]));
    const atRest = runs.every(({ state }) => OVER.includes(state));
    return [
      ...objects.flatMap(({ digest, size }) => {
        const found = sizes.get(digest);
        if (found === undefined) return [`the object ${digest} has a row and no file`];
        return found === size ? [] : [`the object ${digest} has ${found} bytes; its row says ${size}`];
      }),
      ...files.flatMap(({ path }) => {
        const [folder, name] = path.includes('/') ? path.split('/', 2) : ['', path];
        if (path === NAME_OF_STORE) return [];
        if (folder === 'partial') return atRest ? [`${path} is a part of nothing`] : [];
        return rows.has(name ?? '') ? [] : [`the file ${path} belongs to no object`];
      }),
    ];
  },
};
