import { Crowd, type CrowdOrder } from './crowd.js';
import type { Drop, Droppable } from './drop.choice.js';

/** Sites of a load with a process of their own, which can be killed: as many as a small machine has memory for. */
const mortals = (agents: number): number => Math.min(6, Math.max(1, Math.floor(agents / 12)));
const JOINING_AT_ONCE = 4;

/** All agents of a load: two processes of many, and some of one. */
export class CrowdedSites {
  readonly #crowds: Crowd[] = [];
  readonly #mortal = new Set<string>();
  readonly #sites: string[];
  #away: Drop[] = [];

  constructor(
    private readonly folder: string,
    count: number,
    private readonly told: (text: string) => void,
  ) {
    this.#sites = Array.from({ length: count }, (_, index) => `site-${String(index + 1).padStart(3, '0')}`);
  }

  get agents(): Droppable[] {
    return this.#sites.map((site) => ({ site, mortal: this.#mortal.has(site) }));
  }

  async open(address: string): Promise<void> {
    const places = this.#sites.map((site) => ({ site, folder: this.folder, address }));
    const own = places.slice(-mortals(places.length));
    const many = places.slice(0, -own.length);
    for (const { site } of own) this.#mortal.add(site);
    const halves = [many.filter((_, index) => index % 2 === 0), many.filter((_, index) => index % 2 === 1)];
    for (const group of [...halves, ...own.map((place) => [place])]) this.#crowds.push(new Crowd(group, this.told));
    await Promise.all(this.#crowds.map((crowd) => crowd.start()));
  }

  /** Returns the identity keys. */
  async join(invite: (site: string) => Promise<string>): Promise<Map<string, string>> {
    const keys = new Map<string, string>();
    const waiting = [...this.#sites];
    const one = async () => {
      for (let site = waiting.shift(); site !== undefined; site = waiting.shift())
        keys.set(site, await this.#crowdOf(site).ask({ do: 'join', site, invite: await invite(site) }));
    };
    await Promise.all(Array.from({ length: JOINING_AT_ONCE }, one));
    return keys;
  }

  async approve(approved: { plan: string; fingerprint: string }): Promise<void> {
    await this.#all({ do: 'approve', approvals: { ...approved, sites: this.#sites } });
  }

  async serve(): Promise<void> {
    await this.#all({ do: 'serve' });
  }

  async drop(drops: readonly Drop[]): Promise<void> {
    this.#away.push(...drops);
    await Promise.all(
      drops.map(({ site, kind, afterBytes }) => {
        switch (kind) {
          case 'silent':
            return this.#crowdOf(site).ask({ do: 'silence', site });
          case 'cut':
            return this.#crowdOf(site).ask({ do: 'cut', site, bytes: afterBytes });
          case 'killed':
            return this.#crowdOf(site).kill();
        }
      }),
    );
  }

  async comeBack(): Promise<void> {
    const away = this.#away;
    this.#away = [];
    await Promise.all(
      away.map(async ({ site, kind }) => {
        const crowd = this.#crowdOf(site);
        if (kind !== 'killed') {
          await crowd.ask({ do: 'restore', site });
          return;
        }
        await crowd.start();
        await crowd.ask({ do: 'serve' });
      }),
    );
  }

  async stop(): Promise<void> {
    await Promise.all(this.#crowds.map((crowd) => crowd.stop()));
  }

  async #all(order: CrowdOrder): Promise<void> {
    await Promise.all(this.#crowds.map((crowd) => crowd.ask(order)));
  }

  #crowdOf(site: string): Crowd {
    return this.#crowds.find((crowd) => crowd.sites.includes(site))!;
  }
}
