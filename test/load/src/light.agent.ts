import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inviteText, parseInvite } from '@coferment/consortium';
import { joinConsortium } from '../../../client-agent/dist/enrolment/join.flow.js';
import { readMembership, writeMembership } from '../../../client-agent/dist/enrolment/membership.file.js';
import { Journal } from '../../../client-agent/dist/journal/journal.js';
import { serve } from '../../../client-agent/dist/rounds/agent.service.js';
import { AgentLine } from './agent.line.js';
import { writeRecords } from './site.records.js';

/** A key of 32 bytes opens a store without Argon2id, which would be most of what a hundred starts cost. */
const STORE_KEY = new Uint8Array(32).fill(7);
const POLL_WAIT_MS = 3_000;

export interface LightAgentPlace {
  site: string;
  folder: string;
  /** Of the coordinator, `host:port`. */
  address: string;
}

export interface Approvals {
  plan: string;
  sites: readonly string[];
  fingerprint: string;
}

/** An agent as `coferment-agent serve` runs it, with others in one process: keys, journal, connection and records are its own. */
export class LightAgent {
  #stop = new AbortController();
  #serving: Promise<void> = Promise.resolve();
  readonly #line: AgentLine;

  private constructor(
    readonly place: LightAgentPlace,
    line: AgentLine,
  ) {
    this.#line = line;
  }

  /** On a folder that has joined, or that `join` comes next for. */
  static async open(place: LightAgentPlace): Promise<LightAgent> {
    return new LightAgent(place, await AgentLine.open(place.address));
  }

  async join(invite: string): Promise<string> {
    const inviteFile = join(this.#folder('.'), 'invite.json');
    writeFileSync(inviteFile, inviteText(parseInvite(invite)), { mode: 0o600 });
    const { identityKey } = await joinConsortium({ folder: this.#folder('data'), inviteFile, passphrase: STORE_KEY });
    return identityKey;
  }

  /** What a person of the site decides before the run begins. */
  approve({ plan, sites, fingerprint }: Approvals): void {
    const journal = Journal.open(join(this.#folder('data'), 'journal.sqlite'));
    try {
      journal.approvals.decidePlan(plan, 1, 'approved', [...sites], { reason: '' });
      journal.approvals.approveRoster(fingerprint);
    } finally {
      journal.close();
    }
  }

  /** @param told of what this agent refuses, and of its end when nobody asked for it */
  serve(told: (text: string) => void): void {
    const folder = this.#folder('data');
    writeMembership(folder, { ...readMembership(folder), coordinator: this.#line.address });
    const { mappingFile, recordsFolder } = writeRecords(this.#folder('records'), this.place.site);
    this.#stop = new AbortController();
    const watcher = {
      serving: () => undefined,
      probed: () => undefined,
      event: (event: { event: string; message?: string }) => {
        if (event.event === 'refused' || event.event === 'split-view') told(event.message ?? event.event);
      },
    };
    const input = { folder, passphrase: STORE_KEY, mappingFile, recordsFolder, pollWaitMs: POLL_WAIT_MS, backend: 'cpu' as const };
    this.#serving = serve({ ...input, logLevel: 'error' }, watcher, this.#stop.signal).catch((error: unknown) => {
      told(`it ended: ${(error as Error).message}`);
    });
  }

  silence(): void {
    this.#line.silence();
  }

  cutAfter(bytes: number): void {
    this.#line.cutAfter(bytes);
  }

  restore(): void {
    this.#line.restore();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#serving;
    await this.#line.close();
  }

  #folder(name: string): string {
    const folder = join(this.place.folder, this.place.site, name);
    if (name !== 'data') mkdirSync(folder, { recursive: true });
    return folder;
  }
}
