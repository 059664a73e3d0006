/** What a check can be about, in the order in which an agent would meet it. */
export const CHECKS = [
  'name resolution',
  'proxy',
  'TCP',
  'TLS',
  'authority',
  'server name',
  'wire version',
  'clock',
  'certificate',
  'disk',
  'file rights',
  'key store',
  'journal',
  'data mapping',
] as const;

export type CheckName = (typeof CHECKS)[number];

export type CheckResult = 'pass' | 'warn' | 'fail' | 'skipped';

/** One thing that was looked at, for a screen and for `--json`. */
export interface Finding {
  check: CheckName;
  result: CheckResult;
  /** What was found, with the value. */
  found: string;
  /** What to do now; empty where nothing is to be done. */
  advice: string;
}

export function passed(check: CheckName, found: string): Finding {
  return { check, result: 'pass', found, advice: '' };
}

export function warned(check: CheckName, found: string, advice: string): Finding {
  return { check, result: 'warn', found, advice };
}

export function failed(check: CheckName, found: string, advice: string): Finding {
  return { check, result: 'fail', found, advice };
}

export function skipped(check: CheckName, found: string, advice = ''): Finding {
  return { check, result: 'skipped', found, advice };
}
