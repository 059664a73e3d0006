import { matchVersion, WIRE_VERSION } from '@coferment/consortium';
import { CoordinatorError } from '../errors/index.js';

const MOST_CLOCK_SKEW_MS = 5 * 60_000;

/** One minor version apart is served. @throws CoordinatorError 'version-mismatch' naming both, 'malformed' */
export function requireVersion(agentVersion: string): void {
  switch (matchVersion(agentVersion)) {
    case 'together':
      return;
    case 'malformed':
      throw new CoordinatorError('malformed', 'The wire version must be two numbers with a point between them, such as 1.0.');
    case 'apart':
      throw new CoordinatorError(
        'version-mismatch',
        `The agent speaks wire version ${agentVersion}, the coordinator ${WIRE_VERSION}. Install the release whose version is at most one minor apart.`,
      );
  }
}

/** Certificates and deadlines need clocks that agree. @throws CoordinatorError 'clock-off' naming both times */
export function requireClock(agentTimeMs: number, nowMs: number): void {
  if (Math.abs(agentTimeMs - nowMs) <= MOST_CLOCK_SKEW_MS) return;
  throw new CoordinatorError(
    'clock-off',
    `The agent's clock says ${shown(agentTimeMs)}, the coordinator's ${shown(nowMs)}: more than 5 minutes apart. Set the clock that is wrong (NTP) and try again.`,
  );
}

function shown(timeMs: number): string {
  const date = new Date(timeMs);
  return Number.isNaN(date.getTime()) ? `${timeMs} ms` : date.toISOString();
}
