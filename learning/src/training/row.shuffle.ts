import type { Xof } from '@coferment/crypto';

/** A random order of 0 … count − 1 (Fisher and Yates, in Durstenfeld's form), the same for the same stream. */
export function shuffledOrder(count: number, stream: Xof): Int32Array {
  const order = Int32Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last--) {
    const other = Number(stream.uniformBelow(BigInt(last + 1)));
    const kept = order[last]!;
    order[last] = order[other]!;
    order[other] = kept;
  }
  return order;
}
