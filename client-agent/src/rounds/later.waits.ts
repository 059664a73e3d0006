import type { Instruction, MalformedInstruction } from '../connection/instruction.parser.js';
import type { Journal } from '../journal/journal.js';
import { subjectOf } from './instruction.router.js';

/** A sum that was settled without this site in the meantime is not waited for any more. Waits for people stay until they have decided. */
export function forgetLater({ activity }: Pick<Journal, 'activity'>, owed: readonly (Instruction | MalformedInstruction)[]): void {
  for (const { run, subject, whatToDo } of activity.waits()) {
    if (whatToDo !== '') continue;
    const isOwed = owed.some(
      (instruction) => instruction.kind !== 'malformed' && instruction.run === run && subjectOf(instruction) === subject,
    );
    if (!isOwed) activity.stopWaiting(run, subject);
  }
}
