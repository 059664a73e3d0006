const record = `
-- The site's own record; see record.entry. What the tables hold from before it is written into its first entries by record.opening.
CREATE TABLE record (seq INTEGER PRIMARY KEY, line TEXT NOT NULL, hash TEXT NOT NULL) STRICT;
CREATE TABLE record_heads (
  head INTEGER PRIMARY KEY, seq INTEGER NOT NULL, hash TEXT NOT NULL, signed_ms INTEGER NOT NULL, signature TEXT NOT NULL
) STRICT;
CREATE TRIGGER record_stays BEFORE UPDATE ON record BEGIN SELECT RAISE(ABORT, 'the record of this site is never changed'); END;
CREATE TRIGGER record_is_whole BEFORE DELETE ON record BEGIN SELECT RAISE(ABORT, 'the record of this site is never shortened'); END;
CREATE TRIGGER record_heads_stay BEFORE UPDATE ON record_heads BEGIN SELECT RAISE(ABORT, 'a signed head is never changed'); END;
CREATE TRIGGER record_heads_are_whole BEFORE DELETE ON record_heads BEGIN SELECT RAISE(ABORT, 'a signed head is never taken out'); END;
-- What opens the commitments of the record. A vector is erased with its run; its salt stays, sealed like the digest that stays of the vector.
CREATE TABLE commitment_salts (commitment TEXT PRIMARY KEY, sealed BLOB NOT NULL) STRICT;
-- Views change with every poll and are for screens only: they have a checksum instead of entries.
DELETE FROM views;
ALTER TABLE views ADD COLUMN checksum TEXT NOT NULL DEFAULT '';
`;

const receipts = `
-- Contributions that were counted, each with its two proofs as soon as enough witnesses have cosigned: this site's signed contribution is in the log, and so
-- is the freeze that counts it. needed: witnesses that the charter asked for when they were last too few.
CREATE TABLE receipts (
  contribution TEXT PRIMARY KEY, run TEXT NOT NULL, sum INTEGER NOT NULL, kind TEXT NOT NULL, round INTEGER NOT NULL, attempt INTEGER NOT NULL,
  owed_ms INTEGER NOT NULL, needed INTEGER, stored_ms INTEGER, contribution_proof TEXT, freeze_proof TEXT, freeze TEXT, policy TEXT
) STRICT;
`;

const witnessing = `
-- The newest checkpoint that this site has cosigned, with its cosignature; replaced by each one. It has a checksum, and an entry of the record once an hour.
CREATE TABLE cosigned (
  id INTEGER PRIMARY KEY CHECK (id = 1), note TEXT NOT NULL, signed_s INTEGER NOT NULL, cosignatures INTEGER NOT NULL, bytes INTEGER NOT NULL,
  sent INTEGER NOT NULL, recorded_ms INTEGER NOT NULL, checksum TEXT NOT NULL
) STRICT;
CREATE TABLE split_views (
  id INTEGER PRIMARY KEY, found_by TEXT NOT NULL CHECK (found_by IN ('checkpoint', 'comparison', 'entries')), what TEXT NOT NULL, evidence TEXT NOT NULL,
  found_ms INTEGER NOT NULL, dismissed_ms INTEGER, reason TEXT
) STRICT;
-- Acts that say who may cosign, as they were read from the ledger and verified.
CREATE TABLE roll_statements (entry INTEGER PRIMARY KEY, name TEXT NOT NULL, statement TEXT NOT NULL) STRICT;
-- Hashes of the complete subtrees of all entries that were read.
CREATE TABLE ledger_frontier (id INTEGER PRIMARY KEY CHECK (id = 1), entries INTEGER NOT NULL, subtrees TEXT NOT NULL) STRICT;
`;

const newSets = `
-- Sets that were in force for a model before the one in counted_sets, in their order. proposal: what led away from it; null where a restored journal forgot.
CREATE TABLE replaced_sets (
  consortium TEXT NOT NULL, kind TEXT NOT NULL, model_in TEXT NOT NULL, place INTEGER NOT NULL, set_digest TEXT NOT NULL, sites TEXT NOT NULL, proposal TEXT,
  PRIMARY KEY (consortium, kind, model_in, place)
) STRICT;
-- Other sets that were proposed to the people of this site, and what they decided.
CREATE TABLE new_sets (
  proposal TEXT PRIMARY KEY, run TEXT NOT NULL, sum INTEGER NOT NULL, kind TEXT NOT NULL, model_in TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
  approvers TEXT NOT NULL, earlier TEXT NOT NULL, shown_ms INTEGER NOT NULL,
  decision TEXT NOT NULL CHECK (decision IN ('undecided', 'approved', 'rejected')), decided_ms INTEGER, reason TEXT NOT NULL
) STRICT;
`;

/** Each entry takes the journal from one version to the next. Entries are only ever appended: a site's journal outlives releases. */
export const migrations: readonly string[] = [
  `
  CREATE TABLE plan_approvals (
    id INTEGER PRIMARY KEY, plan TEXT NOT NULL, ordinal INTEGER NOT NULL, sites TEXT,
    decision TEXT NOT NULL CHECK (decision IN ('approved', 'rejected')), decided_ms INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE roster_approvals (id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, decided_ms INTEGER NOT NULL, used_ms INTEGER) STRICT;
  CREATE TABLE runs (
    run TEXT PRIMARY KEY, plan TEXT NOT NULL, ordinal INTEGER NOT NULL, sites TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('asked', 'approved', 'dead', 'closed')), detail TEXT NOT NULL, opened_ms INTEGER NOT NULL,
    UNIQUE (plan, ordinal)
  ) STRICT;
  CREATE TABLE epochs (
    run TEXT NOT NULL, epoch INTEGER NOT NULL, roster TEXT NOT NULL, fingerprint TEXT NOT NULL, e0 TEXT NOT NULL, e TEXT, blocks INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run, epoch)
  ) STRICT;
  CREATE TABLE statements (
    run TEXT NOT NULL, name TEXT NOT NULL, subject TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, envelope TEXT NOT NULL, signed_ms INTEGER NOT NULL,
    PRIMARY KEY (run, name, subject)
  ) STRICT;
  CREATE TABLE vectors (
    plan TEXT NOT NULL, kind TEXT NOT NULL, model_in TEXT NOT NULL, coefficients BLOB NOT NULL, samples INTEGER NOT NULL, salt BLOB NOT NULL,
    backend TEXT NOT NULL, saturated INTEGER NOT NULL, PRIMARY KEY (plan, kind, model_in)
  ) STRICT;
  CREATE TABLE last_encrypted (run TEXT PRIMARY KEY, sum INTEGER NOT NULL, attempt INTEGER NOT NULL) STRICT;
  CREATE TABLE frozen_sums (run TEXT NOT NULL, sum INTEGER NOT NULL, t TEXT NOT NULL, PRIMARY KEY (run, sum)) STRICT;
  CREATE TABLE counted_sets (
    consortium TEXT NOT NULL, kind TEXT NOT NULL, model_in TEXT NOT NULL, set_digest TEXT NOT NULL, sites TEXT NOT NULL,
    PRIMARY KEY (consortium, kind, model_in)
  ) STRICT;
  CREATE TABLE run_states (run TEXT PRIMARY KEY, applied_sum INTEGER NOT NULL, state TEXT NOT NULL, model BLOB) STRICT;
  CREATE TABLE round_steps (
    run TEXT NOT NULL, sum INTEGER NOT NULL, kind TEXT NOT NULL, round INTEGER NOT NULL, attempt INTEGER NOT NULL, state TEXT NOT NULL, changed_ms INTEGER NOT NULL,
    PRIMARY KEY (run, sum)
  ) STRICT;
  CREATE TABLE sent (id INTEGER PRIMARY KEY, name TEXT NOT NULL, run TEXT NOT NULL, bytes INTEGER NOT NULL, digest TEXT NOT NULL, sent_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE refusals (
    id INTEGER PRIMARY KEY, run TEXT NOT NULL, subject TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL, refused_ms INTEGER NOT NULL,
    UNIQUE (run, subject, message)
  ) STRICT;
  CREATE TABLE waits (
    run TEXT NOT NULL, subject TEXT NOT NULL, reason TEXT NOT NULL, what_to_do TEXT NOT NULL, since_ms INTEGER NOT NULL, PRIMARY KEY (run, subject)
  ) STRICT;
  CREATE TABLE views (run TEXT PRIMARY KEY, view TEXT NOT NULL, seen_ms INTEGER NOT NULL) STRICT;
  CREATE TABLE connection (id INTEGER PRIMARY KEY CHECK (id = 1), state TEXT NOT NULL, detail TEXT NOT NULL, changed_ms INTEGER NOT NULL) STRICT;
  `,
  `
  -- A vector and what belongs to it, sealed under the key store. erased: what is left is its digest, which forbids another vector for the key;
  -- vectors of version 1 lay in the clear and leave no digest.
  CREATE TABLE sealed_vectors (
    plan TEXT NOT NULL, kind TEXT NOT NULL, model_in TEXT NOT NULL, sealed BLOB, erased INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (plan, kind, model_in)
  ) STRICT;
  INSERT INTO sealed_vectors (plan, kind, model_in, sealed, erased) SELECT plan, kind, model_in, NULL, 1 FROM vectors;
  DROP TABLE vectors;
  UPDATE OR IGNORE counted_sets SET kind = 'update' WHERE kind = 'evaluate';
  ALTER TABLE roster_approvals ADD COLUMN used INTEGER;
  UPDATE roster_approvals AS entry SET used = (
    SELECT COUNT(*) FROM roster_approvals AS other WHERE other.used_ms IS NOT NULL AND (other.used_ms, other.id) <= (entry.used_ms, entry.id)
  ) WHERE used_ms IS NOT NULL;
  ALTER TABLE sent ADD COLUMN outcome TEXT NOT NULL DEFAULT 'accepted';
  `,
  `
  CREATE TABLE spot_checks (run TEXT NOT NULL, sum INTEGER NOT NULL, aggregate TEXT NOT NULL, blocks TEXT NOT NULL, PRIMARY KEY (run, sum)) STRICT;
  `,
  `
  CREATE TABLE ledger_position (id INTEGER PRIMARY KEY CHECK (id = 1), entries INTEGER NOT NULL, last_entry TEXT NOT NULL) STRICT;
  CREATE TABLE forgotten_acts (
    digest TEXT PRIMARY KEY, run TEXT NOT NULL, name TEXT NOT NULL, epoch INTEGER, e TEXT, kind TEXT, sum INTEGER
  ) STRICT;
  CREATE TABLE dead_epochs (
    run TEXT NOT NULL, epoch INTEGER NOT NULL, reason TEXT NOT NULL, since_ms INTEGER NOT NULL, told INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (run, epoch)
  ) STRICT;
  `,
  `
  -- The sum that gave the present model, which an upload that is forgotten may have been made from.
  ALTER TABLE run_states ADD COLUMN model_sum INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Rosters that people were asked about; entries: the last approval that had been entered before.
  CREATE TABLE shown_rosters (
    run TEXT NOT NULL, epoch INTEGER NOT NULL, roster TEXT NOT NULL, fingerprint TEXT NOT NULL, entries INTEGER NOT NULL, PRIMARY KEY (run, epoch)
  ) STRICT;
  `,
  `
  -- Consent can be withdrawn, by a person; standing rules can give it.
  CREATE TABLE plan_decisions (
    id INTEGER PRIMARY KEY, plan TEXT NOT NULL, ordinal INTEGER NOT NULL, sites TEXT,
    decision TEXT NOT NULL CHECK (decision IN ('approved', 'rejected', 'withdrawn')), decided_ms INTEGER NOT NULL,
    decided_by TEXT NOT NULL CHECK (decided_by IN ('person', 'policy')), reason TEXT NOT NULL
  ) STRICT;
  INSERT INTO plan_decisions (id, plan, ordinal, sites, decision, decided_ms, decided_by, reason)
    SELECT id, plan, ordinal, sites, decision, decided_ms, 'person', '' FROM plan_approvals;
  DROP TABLE plan_approvals;
  ALTER TABLE plan_decisions RENAME TO plan_approvals;
  -- What the operator is told of a refusal. Those from before are not told.
  ALTER TABLE refusals ADD COLUMN rule TEXT NOT NULL DEFAULT '';
  ALTER TABLE refusals ADD COLUMN reason TEXT NOT NULL DEFAULT '';
  ALTER TABLE refusals ADD COLUMN told INTEGER NOT NULL DEFAULT 1;
  -- When this site was first asked for its update of a round.
  CREATE TABLE training_rounds (run TEXT NOT NULL, round INTEGER NOT NULL, first_ms INTEGER NOT NULL, PRIMARY KEY (run, round)) STRICT;
  `,
  record,
  receipts,
  witnessing,
  newSets,
];

/** The version from which on a journal has a record. */
export const RECORD_VERSION = migrations.indexOf(record) + 1;
