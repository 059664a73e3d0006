import { stat } from 'node:fs/promises';

/** @throws Error for a person to read */
export async function requireFolder(folder: string): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (!found?.isDirectory()) throw new Error(`"${folder}" is not a folder; give the folder of an exported ledger`);
}
