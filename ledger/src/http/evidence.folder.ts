import { type SplitView, splitViewText } from '../witness/index.js';
import type { FolderWriter } from './folder.writer.js';

/** The two halves as they were signed, and `evidence.json`, which {@link parseSplitView} reads. @returns the folder, relative to the copy's */
export async function writeEvidence(writer: FolderWriter, evidence: SplitView, now: Date): Promise<string> {
  // A colon cannot be in a file's name everywhere.
  const folder = `evidence/${now.toISOString().replaceAll(/[:.]/g, '-')}`;
  const text = (content: string) => new TextEncoder().encode(content);
  await writer.write(`${folder}/first.checkpoint`, text(evidence.first));
  await writer.write(`${folder}/second.checkpoint`, text(evidence.second));
  await writer.write(`${folder}/evidence.json`, text(splitViewText(evidence)));
  return folder;
}
