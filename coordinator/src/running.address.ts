import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { replaceFile } from './identity/sealed.file.js';

const runningSchema = z.object({ address: z.string(), pid: z.number() });

const runningFile = (folder: string): string => join(folder, 'coordinator.json');

/** Where the coordinator of a folder was last, or undefined before its first start. */
export function lastAddress(folder: string): string | undefined {
  const file = runningFile(folder);
  return existsSync(file) ? runningSchema.parse(JSON.parse(readFileSync(file, 'utf8'))).address : undefined;
}

/** For the operator's commands on this machine, and for the next start. */
export function keepAddress(folder: string, address: string): void {
  replaceFile(runningFile(folder), `${JSON.stringify({ address, pid: process.pid })}\n`);
}
