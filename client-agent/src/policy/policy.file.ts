import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sha256Hex } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import { parsePolicy } from './policy.parser.js';
import { NO_POLICY, type Policy } from './policy.schema.js';

/** What a data folder's policy is called when no other file is named. */
export const POLICY_NAME = 'policy.yaml';

/** A changed file counts once it has been the same for so long: an editor writes in pieces, and half a file has half the rules. */
const SETTLE_MS = 1_000;

export interface PolicyInForce {
  policy: Policy;
  /** Null where there is no file. */
  file: string | null;
  /** SHA-256 of the file's bytes. */
  digest: string | null;
}

/** Asked at every step, so that a change of the rules holds from the next step on. */
export interface SitePolicy {
  /** @throws AgentError 'policy-invalid', 'policy-missing': then nothing is done; rules that cannot be read are never taken for none */
  current(): PolicyInForce;
}

const WITHOUT_FILE: PolicyInForce = { policy: NO_POLICY, file: null, digest: null };

/** The rules in a file, read again whenever they are asked for. */
export class PolicyFile implements SitePolicy {
  #text: string | undefined;
  #inForce: PolicyInForce | undefined;
  #changed: { text: string; sinceMs: number } | undefined;

  /**
   * @param file that must be there
   * @param before what holds until the file has settled; without it, the file holds from its first reading on
   * @param now of a clock that only goes forward
   */
  constructor(
    private readonly file: string,
    before?: PolicyInForce,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#inForce = before;
  }

  current(): PolicyInForce {
    const text = this.#read();
    if (this.#inForce === undefined) return this.#take(text);
    if (text === this.#text) {
      this.#changed = undefined;
      return this.#inForce;
    }
    if (this.#changed?.text !== text) this.#changed = { text, sinceMs: this.now() };
    return this.now() - this.#changed.sinceMs < SETTLE_MS ? this.#inForce : this.#take(text);
  }

  #read(): string {
    try {
      return readFileSync(this.file, 'utf8');
    } catch (error) {
      throw new AgentError(
        'policy-missing',
        `The policy file ${this.file} cannot be read (${(error as Error).message}). Until it is back, this site does nothing. To serve without rules: stop the agent, see that its data folder has no ${POLICY_NAME}, and say so with: coferment-agent policy drop --data FOLDER`,
      );
    }
  }

  #take(text: string): PolicyInForce {
    this.#inForce = { policy: parsePolicy(text, this.file), file: this.file, digest: sha256Hex(Buffer.from(text)) };
    this.#text = text;
    this.#changed = undefined;
    return this.#inForce;
  }
}

/** Of a data folder in which there is none: from the moment on in which there is one, and it has settled, its rules hold. */
class FolderPolicy implements SitePolicy {
  #file: PolicyFile | undefined;

  constructor(
    private readonly path: string,
    private readonly now?: () => number,
  ) {}

  current(): PolicyInForce {
    // Once it was there it has to stay: a file that vanishes does not take its rules along.
    if (this.#file === undefined && existsSync(this.path)) this.#file = new PolicyFile(this.path, WITHOUT_FILE, this.now);
    return this.#file?.current() ?? WITHOUT_FILE;
  }
}

/** The named file; else the one in the data folder; else the rules of {@link NO_POLICY}. */
export function sitePolicy(folder: string, named: string | undefined, now?: () => number): SitePolicy {
  const path = named ?? join(folder, POLICY_NAME);
  return named === undefined && !existsSync(path) ? new FolderPolicy(path, now) : new PolicyFile(path, undefined, now);
}

/** As {@link sitePolicy}, once nobody has written into the file for a moment: an agent that starts takes what it finds. */
export async function settledPolicy(folder: string, named: string | undefined): Promise<SitePolicy> {
  const path = named ?? join(folder, POLICY_NAME);
  while (isFresh(path)) await sleep(SETTLE_MS / 10);
  return sitePolicy(folder, named);
}

function isFresh(path: string): boolean {
  const changed = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  // A time that lies far ahead is that of another clock, and tells nothing.
  return changed !== undefined && Math.abs(Date.now() - changed) < SETTLE_MS;
}
