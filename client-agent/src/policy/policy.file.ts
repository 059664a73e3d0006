import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256Hex } from '@coferment/crypto';
import { AgentError } from '../agent.error.js';
import { parsePolicy } from './policy.parser.js';
import { NO_POLICY, type Policy } from './policy.schema.js';

/** What a data folder's policy is called when no other file is named. */
const POLICY_NAME = 'policy.yaml';

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
   * @param now of a clock that only goes forward
   */
  constructor(
    private readonly file: string,
    private readonly now: () => number = () => performance.now(),
  ) {}

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
        `The policy file ${this.file} cannot be read (${(error as Error).message}). Until it is back, this site does nothing. To serve without it, restart the agent without --policy and with no ${POLICY_NAME} in its data folder.`,
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

/** The named file; else the one in the data folder, from the moment on in which there is one; else the rules of {@link NO_POLICY}. */
class FolderPolicy implements SitePolicy {
  #file: PolicyFile | undefined;

  constructor(private readonly path: string) {}

  current(): PolicyInForce {
    // Once it was there it has to stay: a file that vanishes does not take its rules along.
    if (this.#file === undefined && existsSync(this.path)) this.#file = new PolicyFile(this.path);
    return this.#file?.current() ?? WITHOUT_FILE;
  }
}

export function sitePolicy(folder: string, named: string | undefined): SitePolicy {
  return named === undefined ? new FolderPolicy(join(folder, POLICY_NAME)) : new PolicyFile(named);
}
