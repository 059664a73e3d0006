/** What this release speaks on the wire: major.minor. One minor version apart works together; a change of the major one ends that. */
export const WIRE_VERSION = '1.1';

/** The part that signed contexts are bound to: members one minor version apart share rounds. */
export const WIRE_MAJOR = WIRE_VERSION.slice(0, WIRE_VERSION.indexOf('.'));

const FORM = /^([0-9]{1,4})\.([0-9]{1,4})$/;

/** Whether two releases work together: same major version, minor ones at most one apart. Both sides ask, each about the other. */
export type VersionMatch = 'together' | 'apart' | 'malformed';

export function matchVersion(theirs: string, ours = WIRE_VERSION): VersionMatch {
  const read = FORM.exec(theirs);
  if (read === null) return 'malformed';
  const [major, minor] = ours.split('.').map(Number) as [number, number];
  return Number(read[1]) === major && Math.abs(Number(read[2]) - minor) <= 1 ? 'together' : 'apart';
}
