import type { Instruction } from '@coferment/proto';
import { bytesOfInstruction } from './kept.instructions.js';

/** Agents take no message of more than 16 MiB, and an answer to a poll has more in it than instructions. */
const MOST_BYTES = 12 * 1024 * 1024;

/**
 * What of all that a site owes it is told at once. Runs take turns, so that none keeps another from being told of; of each run the first instructions are told, because
 * the later ones need them. A run whose next instruction does not fit keeps none of another run that does. What is left out is owed as soon as something before it is done. The first instruction of all is always told, however large.
 */
export function withinOneAnswer(runs: readonly (readonly Instruction[])[], mostBytes = MOST_BYTES): Instruction[] {
  const told = runs.map((): Instruction[] => []);
  const full = new Set<number>();
  let bytes = 0;
  const longest = Math.max(0, ...runs.map(({ length }) => length));
  for (let turn = 0; turn < longest; turn++) {
    for (const [run, instructions] of runs.entries()) {
      const instruction = instructions[turn];
      if (instruction === undefined || full.has(run)) continue;
      const more = bytesOfInstruction(instruction);
      if (bytes > 0 && bytes + more > mostBytes) full.add(run);
      else {
        bytes += more;
        told[run]!.push(instruction);
      }
    }
  }
  return told.flat();
}
