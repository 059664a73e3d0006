import { type Move, type Phase, pointName, type Role } from './stop.points.js';

/**
 * Decides whether an instance is stopped at a moment. Each point is stopped at once: when the same transaction comes again after the restart, it gets past.
 * So one run of a consortium goes through all the stops that lie on its way.
 */
export class StopSwitch {
  /** Points at which an instance was stopped. */
  readonly covered = new Set<string>();
  /** Whatever is passed while nothing is to be stopped, so that a run without faults can be compared with. */
  armed = true;

  /** @param wanted the points of which the matrix consists; whatever else is passed is a move that no table has */
  constructor(private readonly wanted: ReadonlySet<string>) {}

  /** @returns the points at which the instance is to stop now; none to go on */
  stopsAt(role: Role, moves: readonly Move[], phase: Phase): string[] {
    const names = moves.map((move) => pointName(role, move, phase));
    if (!this.armed || names.every((name) => this.covered.has(name) || !this.wanted.has(name))) return [];
    for (const name of names) this.covered.add(name);
    return names;
  }
}
