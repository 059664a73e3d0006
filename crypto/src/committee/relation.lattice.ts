import { parityWeights, subsetsOf } from './lagrange.rational.js';

/*
 * The parity relations over a set of holders all lie in one lattice: the integer vectors μ with Σ μ_j·α_j^e = 0 for every e < τ. A basis of it over the integers
 * gives every relation as an integer combination of m−τ values that are computed once, which is not true of a basis over the rationals:
 * a relation that is a third of a sum can be large modulo q while the sum is small.
 */

/** One relation over τ+1 holders. */
export interface ParityRelation {
  /** Positions, ascending. */
  holders: number[];
  /** μ over `holders` */
  weights: bigint[];
  /** As a combination of the basis. */
  coordinates: bigint[];
}

export interface RelationLattice {
  /** Positions, ascending. */
  holders: number[];
  /** Vectors over `holders`; none when there are no more than τ. */
  basis: bigint[][];
  relations: ParityRelation[];
}

const absolute = (value: bigint): bigint => (value < 0n ? -value : value);
const dot = (a: readonly bigint[], b: readonly bigint[]): bigint => a.reduce((sum, value, index) => sum + value * b[index]!, 0n);

/** A unimodular matrix by columns, with its inverse by rows, under column operations. */
class Unimodular {
  readonly columns: bigint[][];
  readonly inverse: bigint[][];

  constructor(size: number) {
    const identity = (): bigint[][] =>
      Array.from({ length: size }, (_, row) => Array.from({ length: size }, (__, column) => (row === column ? 1n : 0n)));
    this.columns = identity();
    this.inverse = identity();
  }

  /** column[target] −= factor·column[source] */
  subtract(target: number, source: number, factor: bigint): void {
    const from = this.columns[source]!;
    this.columns[target] = this.columns[target]!.map((value, index) => value - factor * from[index]!);
    const row = this.inverse[target]!;
    this.inverse[source] = this.inverse[source]!.map((value, index) => value + factor * row[index]!);
  }

  swap(a: number, b: number): void {
    [this.columns[a], this.columns[b]] = [this.columns[b]!, this.columns[a]!];
    [this.inverse[a], this.inverse[b]] = [this.inverse[b]!, this.inverse[a]!];
  }
}

/** Columns from `pivot` on have no part in `row` but the first of them, by Euclid's algorithm on what they give there. */
function eliminate(matrix: Unimodular, row: readonly bigint[], pivot: number): void {
  for (;;) {
    let smallest = -1;
    let others = 0;
    for (let column = pivot; column < matrix.columns.length; column++) {
      const value = absolute(dot(row, matrix.columns[column]!));
      if (value === 0n) continue;
      others++;
      if (smallest < 0 || value < absolute(dot(row, matrix.columns[smallest]!))) smallest = column;
    }
    matrix.swap(pivot, smallest);
    if (others === 1) return;
    const divisor = dot(row, matrix.columns[pivot]!);
    for (let column = pivot + 1; column < matrix.columns.length; column++) {
      matrix.subtract(column, pivot, dot(row, matrix.columns[column]!) / divisor);
    }
  }
}

/** Nearest integer to a/b for positive b. */
const nearest = (a: bigint, b: bigint): bigint => {
  const doubled = 2n * a + b;
  const quotient = doubled / (2n * b);
  return doubled < 0n && quotient * 2n * b !== doubled ? quotient - 1n : quotient;
};

/** Shortens the columns from `first` on with each other, pair by pair, until no pair gives anything more. */
function shorten(matrix: Unimodular, first: number): void {
  for (let changed = true; changed;) {
    changed = false;
    for (let target = first; target < matrix.columns.length; target++) {
      for (let source = first; source < matrix.columns.length; source++) {
        if (source === target) continue;
        const from = matrix.columns[source]!;
        const factor = nearest(dot(matrix.columns[target]!, from), dot(from, from));
        const before = dot(matrix.columns[target]!, matrix.columns[target]!);
        if (factor === 0n) continue;
        matrix.subtract(target, source, factor);
        // Ties change the vector and not its length: going on would never end.
        if (dot(matrix.columns[target]!, matrix.columns[target]!) >= before) matrix.subtract(target, source, -factor);
        else changed = true;
      }
    }
  }
}

function build(points: readonly number[], holders: number[], threshold: number): RelationLattice {
  if (holders.length <= threshold) return { holders, basis: [], relations: [] };
  const chosen = holders.map((holder) => BigInt(points[holder]!));
  const matrix = new Unimodular(holders.length);
  for (let power = 0; power < threshold; power++) {
    eliminate(
      matrix,
      chosen.map((point) => point ** BigInt(power)),
      power,
    );
  }
  shorten(matrix, threshold);
  const relations = Array.from(subsetsOf(holders.length, threshold + 1), (subset) => {
    const positions = subset.map((index) => holders[index]!);
    const weights = parityWeights(points, positions);
    const whole = holders.map(() => 0n);
    subset.forEach((index, at) => (whole[index] = weights[at]!));
    return { holders: positions, weights, coordinates: matrix.inverse.slice(threshold).map((row) => dot(row, whole)) };
  });
  return { holders, basis: matrix.columns.slice(threshold), relations };
}

const computed = new Map<string, RelationLattice>();

/** All relations over every τ+1 of these holders (distinct positions). The answer is shared: do not change it. */
export function relationLattice(points: readonly number[], holders: readonly number[], threshold: number): RelationLattice {
  const sorted = holders.toSorted((a, b) => a - b);
  const name = `${threshold}: ${sorted.map((holder) => points[holder]).join(',')}`;
  const known = computed.get(name);
  if (known !== undefined) return known;
  const made = build(points, sorted, threshold);
  computed.set(name, made);
  return made;
}
