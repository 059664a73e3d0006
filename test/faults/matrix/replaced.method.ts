const restores: (() => void)[] = [];

/**
 * Puts another method in the place of one, for everything in this process. Not a spy: that would keep the arguments of every call, which in a long play are
 * all the bytes that it ever stored.
 * @param by makes it of the present one, which is called with `this` as it came
 */
export function replaceMethod<T extends object, K extends keyof T>(target: T, name: K, by: (present: T[K]) => T[K]): void {
  const present = target[name];
  target[name] = by(present);
  restores.push(() => (target[name] = present));
}

export function restoreMethods(): void {
  for (const restore of restores.splice(0).reverse()) restore();
}
