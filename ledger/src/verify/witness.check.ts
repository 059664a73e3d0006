import { CHECKPOINT_PATH } from '../export/index.js';
import { type OpenedCheckpoint, type VerifierKey, openCheckpoint } from '../note/index.js';
import type { WitnessPolicy } from '../policy/index.js';
import { WitnessRoll } from '../witness/index.js';
import type { Recorded } from './evidence.js';
import { ProblemList } from './problem.list.js';
import type { Finding } from './verification.report.js';

/** Witnesses make it hard to show two readers two logs; whether they are needed is the reader's policy. */
export function checkWitnesses(policy: WitnessPolicy, checkpoint: OpenedCheckpoint): Finding {
  const cosigned = witnessNames(checkpoint.note.verifiedBy);
  const detail = cosigned.length > 0 ? `cosigned by ${cosigned.join(', ')}` : 'no known witness has cosigned';
  if (policy.quorum === undefined)
    return { detail: `${detail}; no witnesses are asked for`, unchecked: cosigned.length === 0, optional: true };
  if (policy.isMetBy(checkpoint.note.verifiedBy)) return { detail: `${detail}: quorum "${policy.quorum}" is met` };
  return { detail, problems: [{ where: CHECKPOINT_PATH, problem: `quorum "${policy.quorum}" is not met: ${detail}` }] };
}

/**
 * The charter asks for witnesses whatever a reader's policy says. Who they are is what the log says of itself, so this does not replace a policy from
 * outside: it finds a checkpoint that nobody has looked at yet, not an operator who made up the sites.
 */
export class CharterWitnessCheck {
  readonly #list = new ProblemList();
  readonly #roll: WitnessRoll;
  #hasCharter = false;

  constructor(origin: string) {
    this.#roll = new WitnessRoll(origin);
  }

  follow(recorded: Recorded): void {
    this.#hasCharter ||= recorded.name === 'charter';
    try {
      this.#roll.follow(recorded);
    } catch (error) {
      this.#list.add(recorded, `it names a witness whose key cannot be used: ${(error as Error).message}`);
    }
  }

  /** @param note the checkpoint as it is in the export; @param logs keys of the log, of which one has signed it */
  finish(note: string | Uint8Array, logs: readonly VerifierKey[]): Finding {
    const { quorum, keys } = this.#roll;
    let verifiedBy: readonly VerifierKey[];
    try {
      // A cosignature that does not verify under a key of the roll refuses the whole note.
      verifiedBy = openCheckpoint(note, [...logs, ...keys]).note.verifiedBy;
    } catch (error) {
      this.#list.add(CHECKPOINT_PATH, (error as Error).message);
      return { detail: 'a cosignature is refused', problems: this.#list.problems };
    }
    const cosigned = witnessNames(verifiedBy);
    const by = cosigned.length > 0 ? `cosigned by ${cosigned.join(', ')}` : 'no witness of the ledger has cosigned';
    const { problems } = this.#list;
    if (quorum === 0) {
      const asks = this.#hasCharter ? 'the charter asks for none' : 'the ledger has no charter';
      return { detail: `${by}; ${asks}`, problems, unchecked: cosigned.length === 0, optional: true };
    }
    const counts = `${cosigned.length} of ${keys.length} known witnesses, ${quorum} needed`;
    if (this.#roll.isMetBy(verifiedBy)) return { detail: `${by}: ${counts}`, problems };
    const missing = witnessNames(keys).filter((name) => !cosigned.includes(name));
    const wayOn =
      keys.length < quorum
        ? 'more sites must take up their agents, which give a witness key each'
        : `export the ledger again in a minute, or ask the operator why there is no cosignature of ${missing.join(', ')}`;
    return { detail: `${by}: ${counts}; ${wayOn}`, problems, unchecked: true };
  }
}

function witnessNames(keys: readonly VerifierKey[]): string[] {
  return keys.filter(({ kind }) => kind === 'witness').map(({ name }) => name);
}
