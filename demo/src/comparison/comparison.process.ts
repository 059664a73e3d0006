import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MemberFolders } from '../members/member.folders.js';
import { readAnswer } from '../members/command.answer.js';
import type { ProcessGroup } from '../processes/index.js';
import { type Comparison, comparisonSchema } from './comparison.result.js';
import type { ComparisonTask } from './comparison.task.js';

const PROGRAM = fileURLToPath(new URL('../../dist/comparison/comparison.main.js', import.meta.url));

/** Trains the baselines in a process of its own, so that the display and the signals of the demo stay alive. */
export async function compareModels(group: ProcessGroup, folders: MemberFolders, task: ComparisonTask): Promise<Comparison> {
  const lines = await group.run({
    name: 'comparison',
    script: PROGRAM,
    args: [JSON.stringify(task)],
    logFile: join(folders.logs, 'comparison.log'),
  });
  return readAnswer('comparison', lines.slice(-1), comparisonSchema);
}
