/** Which rules the run has: whether it waits for everybody for ever, or goes on with a quorum at the deadline. */
export type Patience = 'waiting' | 'quorum';
export const PATIENCES: readonly Patience[] = ['waiting', 'quorum'];

/** Where the run is when everybody is started: not launched yet, or stopped in order when all keys were confirmed. */
export type Beginning = 'launch' | 'keys';

export const SITES = ['site-1', 'site-2', 'site-3', 'site-4'] as const;
export type Site = (typeof SITES)[number];
export type Victim = 'coordinator' | Site;

export type SumKind = 'confirm' | 'statistics' | 'update' | 'evaluate';

/** What is waited for before a fault happens. Only what tests see from outside: the operator's watch, and what agents print. */
export type Trigger =
  /** Everybody serves, and the run is launched or goes on. */
  | { readonly on: 'beginning' }
  /** A sum of this kind enters this state; training rounds from 1, 0 for the other kinds. */
  | { readonly on: 'sum'; readonly kind: SumKind; readonly round: number; readonly state: string }
  /** The site is asked to do this: `deal`, `checkDealing`, `agreeEpoch`, `prepareSum`, `encrypt`, `attest`, `releaseShare`, `applySum`; the `nth` time. */
  | { readonly on: 'asked'; readonly site: Site; readonly kind: string; readonly nth: number }
  /** The site has this on its way to the coordinator, the `nth` time. */
  | { readonly on: 'sent'; readonly site: Site; readonly name: string; readonly nth: number };

export type Act =
  /** SIGKILL, all in the same moment; each is started again after `downMs`. */
  | { readonly act: 'kill'; readonly whom: readonly Victim[]; readonly downMs: number }
  /** SIGKILL, and once more `againMs` after its process was started again. */
  | { readonly act: 'kill-in-start'; readonly whom: Victim; readonly downMs: number; readonly againMs: number }
  /** SIGSTOP and, later, SIGCONT: a machine that hangs, a virtual machine that is moved. */
  | { readonly act: 'freeze'; readonly whom: Victim; readonly forMs: number }
  /** `reset`: both ends are told. `silent`: neither is, and what waited goes on afterwards. */
  | { readonly act: 'cut'; readonly site: Site; readonly how: 'reset' | 'silent'; readonly forMs: number }
  /** Everything on the site's line takes so much longer, in both directions. */
  | { readonly act: 'delay'; readonly site: Site; readonly delayMs: number; readonly forMs: number };

export interface Fault {
  readonly when: Trigger;
  /** From the trigger to the act: the instants between two events are the interesting ones. */
  readonly afterMs: number;
  readonly what: Act;
}

export interface FaultSchedule {
  readonly seed: number;
  readonly patience: Patience;
  readonly from: Beginning;
  readonly faults: readonly Fault[];
}

export function scheduleText({ seed, patience, from, faults }: FaultSchedule): string {
  const title = patience === 'waiting' ? 'the run waits for every site' : 'the run goes on with a quorum';
  const begins = from === 'launch' ? 'begins with its launch' : 'begins with confirmed keys';
  return [`schedule ${seed}: ${title} and ${begins}`, ...faults.map((fault) => `  ${faultText(fault)}`)].join('\n');
}

export function faultText({ when, afterMs, what }: Fault): string {
  return `${afterMs} ms after ${triggerText(when)}: ${actText(what)}`;
}

function triggerText(when: Trigger): string {
  switch (when.on) {
    case 'beginning':
      return 'the beginning';
    case 'sum':
      return `the sum "${when.kind}"${when.round === 0 ? '' : ` of round ${when.round}`} is ${when.state}`;
    case 'asked':
      return `${when.site} is asked to ${when.kind} (${when.nth})`;
    case 'sent':
      return `${when.site} sends ${when.name} (${when.nth})`;
  }
}

function actText(what: Act): string {
  switch (what.act) {
    case 'kill':
      return `SIGKILL ${what.whom.join(' and ')}, started again after ${what.downMs} ms`;
    case 'kill-in-start':
      return `SIGKILL ${what.whom}, started again after ${what.downMs} ms, SIGKILL ${what.againMs} ms into its start`;
    case 'freeze':
      return `SIGSTOP ${what.whom} for ${what.forMs} ms`;
    case 'cut':
      return `cut the line of ${what.site} for ${what.forMs} ms (${what.how})`;
    case 'delay':
      return `delay the line of ${what.site} by ${what.delayMs} ms for ${what.forMs} ms`;
  }
}
