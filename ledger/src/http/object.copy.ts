import { LedgerError } from '../errors/index.js';
import { objectPath } from '../export/index.js';
import type { WitnessPolicy } from '../policy/index.js';
import type { ReadFile } from '../tiles/index.js';
import { objectsOf, verifyExport } from '../verify/index.js';
import { forEachConcurrently } from './concurrent.work.js';
import type { CopyProgress } from './entry.copy.js';
import type { FolderWriter } from './folder.writer.js';

export interface ObjectCopy {
  readonly copied: number;
  readonly present: number;
  /** Named by statements, and not served to this reader. */
  readonly notServed: number;
}

const OBJECTS_AT_ONCE = 4;

/**
 * Objects that statements with valid signatures name; others would be anybody's bytes.
 * @throws LedgerError 'payload-mismatch' that names the statement whose object came as other bytes
 */
export async function copyObjects({
  served,
  folder,
  writer,
  policy,
  progress,
}: {
  readonly served: { save(path: string, file: string): Promise<{ sha256: string; bytes: number } | undefined> };
  readonly folder: ReadFile;
  readonly writer: FolderWriter;
  readonly policy: WitnessPolicy;
  readonly progress: (progress: CopyProgress) => void;
}): Promise<ObjectCopy> {
  const namedBy = new Map<string, string>();
  await verifyExport(folder, {
    policy,
    onStatement: (statement) => {
      for (const digest of objectsOf(statement))
        if (!namedBy.has(digest)) namedBy.set(digest, `entry ${statement.index} (${statement.name})`);
    },
  });
  let [copied, present, notServed] = [0, 0, 0];
  await forEachConcurrently(namedBy, OBJECTS_AT_ONCE, async ([digest, place]) => {
    const path = objectPath(digest);
    if (await writer.has(path)) present++;
    else if (await writer.move(path, (file) => saveChecked(served, path, file, digest, place))) copied++;
    else notServed++;
    progress({ what: 'objects', done: copied + present + notServed, total: namedBy.size });
  });
  return { copied, present, notServed };
}

async function saveChecked(
  served: { save(path: string, file: string): Promise<{ sha256: string; bytes: number } | undefined> },
  path: string,
  file: string,
  digest: string,
  place: string,
): Promise<number | undefined> {
  const saved = await served.save(path, file);
  if (saved && saved.sha256 !== digest)
    throw new LedgerError(
      'payload-mismatch',
      `The object that ${place} names came as other bytes: what is served as ${path} hashes to ${saved.sha256}.`,
    );
  return saved?.bytes;
}
