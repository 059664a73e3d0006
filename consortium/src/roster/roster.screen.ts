import { identityWords } from '../invite/index.js';
import { type Roster, epochSites, formatFingerprint, rosterFingerprint } from './roster.js';

/** What a roster is of, and what it is shown against. Both sides know all of it. */
export interface RosterScene {
  consortium: string;
  run: string;
  epoch: number;
  /** The sites that were asked to approve the run, sorted. */
  asked: readonly string[];
  /** The roster of the key epoch before, where there was one. */
  before?: Roster | undefined;
}

/**
 * A roster as two people compare it over the telephone, line by line: the operator's screen and every site's are these lines, in this order. Anything that
 * only one side knows comes after them.
 */
export function rosterLines(roster: Roster, { consortium, run, epoch, asked, before }: RosterScene): string[] {
  const { numbers, parameters } = roster;
  const holders = new Map(roster.keyHolders.map(({ site }, position) => [site, position + 1]));
  const width = Math.max(...roster.sites.map(({ site }) => site.length));
  const members = roster.sites.map(({ site, identityKey }) => {
    const holder = holders.get(site);
    const part = roster.leftOut.includes(site) ? '  left out' : holder === undefined ? '' : `  key holder ${holder}`;
    return `  ${site.padEnd(width)}  ${identityText({ consortium, site, identityKey })}${part}`;
  });
  const missing = missingSites(roster, asked);
  return [
    `Roster of run ${run}, key epoch ${epoch}, consortium ${consortium}`,
    `Fingerprint: ${formatFingerprint(rosterFingerprint(roster))}`,
    `Sites (${numbers.n}), each with its identity key:`,
    ...members,
    `Asked for this run and not in it: ${listed(missing)}`,
    `Take part in this key epoch: ${epochSites(roster).length} of ${numbers.n}; left out: ${listed(roster.leftOut)}`,
    `Key holders: ${numbers.m}; any ${numbers.tau} of them open a sum (τ = ${numbers.tau})`,
    `Safe while at most ${numbers.c} of the sites work together with the operator (c = ${numbers.c})`,
    `A set is fixed by the signatures of ${numbers.rho} of ${numbers.n} sites (ρ = ${numbers.rho})`,
    `Every sum is over at least ${numbers.minContributors} sites (minContributors = ${numbers.minContributors})`,
    `Encryption: set ${parameters.set}, κ = ${parameters.kappa}, ${parameters.valueBits} bits a value`,
    `Against the key epoch before: ${before === undefined ? 'there was none' : describeChanges(before, roster)}`,
  ];
}

/** How an identity key is read aloud: the words that the site and the operator compared when it joined. */
function identityText({ consortium, site, identityKey }: { consortium: string; site: string; identityKey: string }): string {
  return identityWords(consortium, site, identityKey).join(' ');
}

/** Sites that were asked and are not in the roster: they had not approved by the deadline, or the coordinator leaves them out. */
export function missingSites(roster: Roster, asked: readonly string[]): string[] {
  return asked.filter((site) => !roster.sites.some((member) => member.site === site));
}

/** What is new against an earlier roster of the run, in words. */
export function describeChanges(before: Roster, roster: Roster): string {
  const out = roster.leftOut.filter((site) => !before.leftOut.includes(site));
  const back = before.leftOut.filter((site) => !roster.leftOut.includes(site));
  const holders = (of: Roster) => of.keyHolders.map(({ site }) => site);
  const lines = [
    ...(out.length === 0 ? [] : [`now left out: ${out.join(', ')}`]),
    ...(back.length === 0 ? [] : [`no longer left out: ${back.join(', ')}`]),
    ...(holders(before).join() === holders(roster).join()
      ? []
      : [`key holders: ${holders(roster).join(', ')} instead of ${holders(before).join(', ')}`]),
  ];
  return lines.length === 0 ? 'the members are the same' : lines.join('; ');
}

/** What stands behind a fingerprint, in one line. */
export function describeMembers({ sites, numbers }: Roster): string {
  const names = sites.map(({ site }) => site).join(', ');
  return `sites ${names}; safe while at most c = ${numbers.c} of them work together with the operator; every sum is over at least ${numbers.minContributors} sites`;
}

function listed(sites: readonly string[]): string {
  return sites.length === 0 ? 'none' : sites.join(', ');
}
