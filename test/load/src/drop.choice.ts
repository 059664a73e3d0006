/**
 * How an agent drops out of a round.
 * - `silent`: nothing passes on its line, and nobody is told: to the coordinator it does not poll any more.
 * - `cut`: its connection is reset in the middle of what it sends, and every new one too.
 * - `killed`: its process gets SIGKILL, and is started again on the same folder.
 */
export type DropKind = 'silent' | 'cut' | 'killed';

export interface Drop {
  site: string;
  kind: DropKind;
  /** Of a cut: what the agent still sends before it, so that it falls into a nonce, an upload, the statement of one, or between them. */
  afterBytes: number;
}

/** With a linear model an agent sends about so much in a round, most of it signed statements. */
const SENT_IN_A_ROUND = 6_000;

/** An agent of a load, and whether it has a process of its own, which can be killed without the others. */
export interface Droppable {
  site: string;
  mortal: boolean;
}

/**
 * Who drops in a round: a pure function of the seed, so that a load can be run again. At most `mostHolders` key holders drop at once: with fewer than the threshold
 * left no sum is opened before they are back, which is another test.
 */
export function dropsOf(round: number, { agents, share, seed, holders, mostHolders }: DropRule): Drop[] {
  const random = randomSource(seed * 100_003 + round);
  const many = Math.round(agents.length * share);
  const order = agents.map((agent) => ({ agent, rank: random() })).sort((a, b) => a.rank - b.rank);
  const drops: Drop[] = [];
  let holdersDropped = 0;
  for (const { agent } of order) {
    if (drops.length === many) break;
    const isHolder = holders.has(agent.site);
    if (isHolder && holdersDropped === mostHolders) continue;
    if (isHolder) holdersDropped += 1;
    drops.push({
      site: agent.site,
      kind: agent.mortal ? 'killed' : random() < 0.5 ? 'silent' : 'cut',
      afterBytes: Math.ceil(random() * SENT_IN_A_ROUND),
    });
  }
  return drops;
}

export interface DropRule {
  agents: readonly Droppable[];
  /** Of all agents. */
  share: number;
  seed: number;
  holders: ReadonlySet<string>;
  mostHolders: number;
}

/** mulberry32 (public domain, T. Ettinger): 32 bits of state are plenty to choose sites with. Returns numbers from 0 up to, not with, 1. */
function randomSource(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
