/** What this release speaks on the wire: major.minor. One minor version apart works together; a change of the major one ends that. */
export const WIRE_VERSION = '1.0';

/** The part that signed contexts are bound to: members one minor version apart share rounds. */
export const WIRE_MAJOR = WIRE_VERSION.slice(0, WIRE_VERSION.indexOf('.'));
