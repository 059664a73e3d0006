import type { RecordEntry } from './record.entry.js';

/** What is said of an item that was sent must be known where its answer is. */
export type SentNames = Map<number, string>;

/** One entry for a person: when, where it belongs, what happened. */
export function describeEntry(entry: RecordEntry, sent: SentNames): string {
  if (entry.kind === 'sending') sent.set(entry.row, entry.name);
  const run = 'run' in entry && entry.run !== '' ? `${entry.run}: ` : '';
  return `${String(entry.seq).padStart(6)}  ${new Date(entry.time).toISOString()}  ${run}${sentence(entry, sent)}`;
}

function sentence(entry: RecordEntry, sent: SentNames): string {
  switch (entry.kind) {
    case 'opened': {
      const rows = entry.tables.reduce((sum, table) => sum + table.rows, 0);
      return rows === 0
        ? 'the record was opened with an empty journal'
        : `the record was opened; ${rows} rows stood in the journal before it`;
    }
    case 'carried-over':
      return `a row of ${entry.table} from before the record`;
    case 'joined':
      return `site ${entry.site} is a member of ${entry.consortium}, with the identity key ${short(entry.identityKey)}`;
    case 'authorities-changed':
      return `the consortium's certificate authorities are those with digest ${short(entry.digest)}`;
    case 'certificate-renewed':
      return `the certificate of this site is valid until ${entry.until}`;
    case 'policy-changed':
      return entry.digest === null
        ? 'this site has no policy file any more'
        : `the policy file of this site has digest ${short(entry.digest)}`;
    case 'membership-left':
      return `this site left the consortium: ${entry.reason}`;
    case 'agent-started':
      return `the agent started (${entry.software})`;
    case 'agent-stopped':
      return 'the agent stopped';
    case 'connection':
      return entry.state === 'connected' ? 'connected to the coordinator' : `not connected to the coordinator: ${entry.detail}`;
    case 'plan-approved':
    case 'plan-rejected':
    case 'plan-withdrawn': {
      const decided = entry.kind.slice('plan-'.length);
      const sites = entry.sites === null ? 'the sites it is announced with' : entry.sites.join(', ');
      return `run ${entry.ordinal} of plan ${short(entry.plan)} was ${decided} ${entry.by === 'person' ? 'by a person' : 'by the policy of this site'} for ${sites}${entry.reason === '' ? '' : `: ${entry.reason}`}`;
    }
    case 'approval-bound':
      return `the approval given before the announcement counts for ${entry.sites.join(', ')}`;
    case 'roster-approved':
      return `the roster ${short(entry.fingerprint)} was approved by a person`;
    case 'roster-used':
      return `the roster ${short(entry.fingerprint)} is the one in use now`;
    case 'roster-shown':
      return `the roster ${short(entry.fingerprint)} of key epoch ${entry.epoch} waits for the people of this site`;
    case 'run-announced':
      return `announced: run ${entry.ordinal} of plan ${short(entry.plan)} with ${entry.sites.join(', ')}`;
    case 'run-state':
      return runState(entry.state, entry.detail);
    case 'epoch-opened':
      return `key epoch ${entry.epoch} opened with the roster ${short(entry.roster)}`;
    case 'epoch-agreed':
      return `key epoch ${entry.epoch} agreed (E ${short(entry.e)})`;
    case 'epoch-left':
      return `this site left key epoch ${entry.epoch}: ${entry.reason}`;
    case 'epoch-left-told':
      return `the operator was told that this site left key epoch ${entry.epoch}`;
    case 'keys-erased':
      return entry.epoch === null ? 'the keys of the run were erased' : `the keys of key epoch ${entry.epoch} were erased`;
    case 'signed':
      return `signed ${entry.name}${entry.subject === '' ? '' : ` ${entry.subject}`} (digest ${short(entry.digest)})`;
    case 'trained': {
      const made = entry.sumKind === 'update' ? 'trained an update' : `computed its ${entry.sumKind} vector`;
      if (entry.from === null) return `${made} with ${entry.backend} (commitment ${short(entry.vector)})`;
      const { run, sum, round } = entry.from;
      return `${run}: ${made} for sum ${sum}, round ${round}, with ${entry.backend} (commitment ${short(entry.vector)})`;
    }
    case 'vectors-erased':
      return `the ${entry.vectors.length} stored vectors of plan ${short(entry.plan)} were erased`;
    case 'material-pruned':
      return `${entry.objects} states for reproducing this run were removed (${entry.bytes} bytes)`;
    case 'encrypting':
      return `sum ${entry.sum}, attempt ${entry.attempt}: encrypted, once and never again (blocks: ${entry.blocks})`;
    case 'sum-frozen':
      return `sum ${entry.sum} is bound for ever to T ${short(entry.t)}`;
    case 'set-counted':
      return `the ${entry.sumKind} sum of model ${short(entry.modelIn)} is bound for ever to ${entry.sites.join(', ') || `the set ${short(entry.set)}`}`;
    case 'set-replaced':
      return `the ${entry.sumKind} sum of model ${short(entry.modelIn)} is bound to ${entry.after.sites.join(', ') || `the set ${short(entry.after.set)}`} from now on, not to ${entry.before.sites.join(', ') || `the set ${short(entry.before.set)}`}${entry.proposal === null ? '' : `: everybody concerned approved ${short(entry.proposal)}`}`;
    case 'new-set-shown':
      return `sum ${entry.sum}: another set (${entry.after.join(', ')} instead of ${entry.before.join(', ')}) waits for the people of this site (${short(entry.proposal)})`;
    case 'new-set-approved':
    case 'new-set-rejected':
      return `the other set ${short(entry.proposal)} was ${entry.kind.slice('new-set-'.length)} by a person${entry.reason === '' ? '' : `: ${entry.reason}`}`;
    case 'drawn':
      return `sum ${entry.sum}: blocks ${entry.blocks.join(', ')} were drawn for the spot check`;
    case 'step':
      return `sum ${entry.sum} (${entry.sumKind}, round ${entry.round}, attempt ${entry.attempt}): ${entry.state}`;
    case 'applied':
      return `applied sum ${entry.sum}${entry.model === null ? '' : `; the model is now the one of sum ${entry.modelSum}`}`;
    case 'receipt-owed':
      return `the contribution to sum ${entry.sum} was counted; its receipt is owed`;
    case 'receipt-waits':
      return `the receipt of contribution ${short(entry.contribution)} waits for ${entry.needed} witnesses`;
    case 'receipt-stored':
      return `the receipt of contribution ${short(entry.contribution)} was verified and stored`;
    case 'sending':
      return `sending ${entry.name}, ${entry.bytes} bytes, digest ${short(entry.digest)}`;
    case 'answered':
      return `${sent.get(entry.row) ?? 'what was sent'} (item ${entry.row}): ${entry.outcome}`;
    case 'instruction-refused':
      return `refused ${entry.subject} by rule ${entry.telling?.rule ?? entry.code}: ${entry.message}`;
    case 'refusal-told':
      return `the operator was told of refusal ${entry.row}`;
    case 'round-asked':
      return `asked for the update of round ${entry.round}`;
    case 'waiting':
      return `waits (${entry.subject}): ${entry.reason}`;
    case 'no-longer-waiting':
      return `waits no longer (${entry.subject})`;
    case 'ledger-read':
      return `read the ledger up to entry ${entry.entries}`;
    case 'act-forgotten':
      return `the ledger has an act of this site that the journal does not know: ${entry.name} (digest ${short(entry.digest)})`;
    case 'checkpoint-cosigned':
      return `cosigned a checkpoint of the ledger over ${entry.size} entries (root ${short(entry.root)}; cosignatures so far: ${entry.cosignatures})`;
    case 'split-view-found':
      return `evidence ${entry.row} against the log is kept: ${entry.what}`;
    case 'split-view-dismissed':
      return `a person dismissed evidence ${entry.row} against the log: ${entry.reason}${entry.goesOn === null ? '' : ` (this site goes on from a checkpoint over ${entry.goesOn.size} entries)`}`;
    case 'roll-read':
      return `entry ${entry.entry} of the ledger says who may cosign it: ${entry.name}`;
    case 'roll-cleared':
      return 'the ledger is read from its beginning again';
    case 'head-signed':
      return `head ${entry.head} signed with the key of this site`;
  }
}

function runState(state: 'asked' | 'approved' | 'dead' | 'closed', detail: string): string {
  switch (state) {
    case 'asked':
      return 'waits for the approval of this site';
    case 'approved':
      return 'this site takes part';
    case 'dead':
      return `this site left the run: ${detail}`;
    case 'closed':
      return `the run is closed (${detail})`;
  }
}

function short(digest: string): string {
  return digest.length > 16 ? `${digest.slice(0, 16)}…` : digest;
}
