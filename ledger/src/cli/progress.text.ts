const EVERY_MS = 2000;

/** Says every two seconds how far a long check is; a short one says nothing. */
export function reportProgress(say: (text: string) => void, nowMs: () => number = Date.now): (done: number, size: number) => void {
  let lastMs = nowMs();
  return (done, size) => {
    if (nowMs() - lastMs < EVERY_MS) return;
    lastMs = nowMs();
    say(`checked ${done} of ${size} entries\n`);
  };
}
