import type { RingElement } from '../ring/ring.element.js';
import { ELEMENTS_AT_ONCE, type NttFactor, type SealEngine } from '../ring/seal.engine.js';
import { fillPublicElement } from '../sampling/uniform.sampler.js';

/** A block and the coefficients in use in it. */
export interface UsedBlock {
  block: number;
  used: number;
}

export interface PublicProducts {
  engine: SealEngine;
  factor: NttFactor;
  /** Round context K. */
  k: string;
  blocks: readonly UsedBlock[];
}

/** Coefficients of a_b·factor for each block in order. A product is wiped after `use`. */
export function forEachProduct({ engine, factor, k, blocks }: PublicProducts, use: (product: RingElement, block: UsedBlock) => void): void {
  for (let from = 0; from < blocks.length; from += ELEMENTS_AT_ONCE) {
    const some = blocks.slice(from, from + ELEMENTS_AT_ONCE);
    const products = engine.products(some.length, factor, (element, index) => {
      fillPublicElement(k, some[index]!.block, engine.set, element);
    });
    some.forEach((block, index) => {
      use(products[index]!, block);
      products[index]!.fill(0n);
    });
  }
}
