import type { Statement } from '@coferment/consortium';

/** SHA-256 of every stored object that a statement refers to. */
export function objectsOf({ name, predicate }: Statement): string[] {
  if (name === 'plan-published') return [predicate.plan];
  if (name === 'dealing') return [predicate.masked, ...predicate.boxes.map(({ object }) => object)];
  if (name === 'key-epoch') return [predicate.roster];
  if (name === 'contribution' || name === 'share') return [predicate.object];
  return name === 'aggregate' ? [predicate.sumObject] : [];
}
