import { sha256Hex } from '@coferment/crypto';
import { Instruction } from '@coferment/proto';
import type { RunView } from '../runs/run.view.js';

/** As many as sites are told of at the same time: those that catch up, and those that do not. */
const MOST_KEPT = 16;

/** By the acts of a run, which live as long as its view is kept. */
const kept = new WeakMap<RunView['acts'], Map<string, Instruction>>();
const encoded = new WeakMap<Instruction, { digest: string; bytes: number }>();

/**
 * An instruction that every site gets in the same words, and that `key` names for good: it is made once and not for each site at each change. A certificate holds
 * an attestation of nearly every site, and in a key ceremony each of them names every sum, so these are the megabytes of a run of a hundred sites.
 */
export function keptInstruction(view: RunView, key: string, make: () => Instruction): Instruction {
  const ofRun = kept.get(view.acts) ?? new Map<string, Instruction>();
  kept.set(view.acts, ofRun);
  const known = ofRun.get(key);
  if (known !== undefined) return known;
  const made = make();
  ofRun.set(key, made);
  for (const oldest of ofRun.keys()) {
    if (ofRun.size <= MOST_KEPT) break;
    ofRun.delete(oldest);
  }
  return made;
}

/** Names what is owed: another name where any instruction has other bytes, or another place. */
export function nameOfInstructions(instructions: readonly Instruction[]): string {
  return sha256Hex(Buffer.from(instructions.map((instruction) => encodedOf(instruction).digest).join()));
}

/** On the wire. */
export function bytesOfInstruction(instruction: Instruction): number {
  return encodedOf(instruction).bytes;
}

function encodedOf(instruction: Instruction): { digest: string; bytes: number } {
  const known = encoded.get(instruction);
  if (known !== undefined) return known;
  const bytes = Instruction.encode(instruction).finish();
  const made = { digest: sha256Hex(bytes), bytes: bytes.length };
  encoded.set(instruction, made);
  return made;
}
