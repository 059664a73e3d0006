/** Pearson's correlation of two series of equal length: 1 when one tells the other up to scale and offset, about ±1/√length by chance. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [product, squareA, squareB] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]! - meanA, b[i]! - meanB];
    product += x * y;
    squareA += x * x;
    squareB += y * y;
  }
  return squareA === 0 || squareB === 0 ? 0 : product / Math.sqrt(squareA * squareB);
}

/** The share of positions at which two series hold the same value. */
export function agreement<T>(a: ArrayLike<T>, b: ArrayLike<T>): number {
  let same = 0;
  for (let i = 0; i < a.length; i++) if (a[i] === b[i]) same++;
  return same / a.length;
}

/** `length` standard errors of a correlation that is zero. */
export const byChance = (length: number): number => 5 / Math.sqrt(length);
