import type { DataSource } from 'typeorm';

const DIGEST = (text: string): string => text.repeat(64).slice(0, 64);
const PLAN = DIGEST('a');
const RUN_STATES = ['awaiting-approval', 'key-ceremony', 'running', 'stuck', 'completed', 'aborted', 'failed'];
const ROUND_STATES = [
  'training',
  'ready',
  'uploading',
  'frozen',
  'attesting',
  'decrypting',
  'applying',
  'garbled',
  'stuck',
  'closed',
  'abandoned',
  'superseded',
];
const SITE_STATES = ['invited', 'pending', 'enrolled', 'left', 'revoked'];
const OPENED_MS = 1_790_000_000_000;

/** Rows of every kind in every table of version 0.1.0: every state, values that are there and values that are not. */
export async function fillVersion010(source: DataSource): Promise<void> {
  const put = async (table: string, row: Record<string, unknown>) => {
    const names = Object.keys(row);
    const places = names.map((_, index) => `$${index + 1}`);
    const quoted = names.map((name) => `"${name}"`).join(', ');
    await source.query(`INSERT INTO "${table}" (${quoted}) VALUES (${places.join(', ')})`, Object.values(row));
  };
  for (const [index, state] of SITE_STATES.entries()) {
    const known =
      state === 'invited'
        ? {}
        : { identity_key: DIGEST(`${index}`), certificate_digest: DIGEST(`c${index}`), certificate_expires_ms: OPENED_MS };
    const signed =
      state === 'enrolled' ? { enrolment: JSON.stringify({ payloadType: 'x', payload: 'eA==', signatures: [] }), role: 'auditor' } : {};
    await put('site', {
      site: state,
      state,
      last_poll_ms: index,
      wait_ms: 1000,
      authorities: index,
      company: `company of ${state}`,
      ...known,
      ...signed,
    });
    await put('invite', {
      id: `invite-${state}`,
      site: state,
      secret_hash: DIGEST('5'),
      expires_ms: OPENED_MS,
      used_by: null,
      pre_admitted: index % 2 === 0,
    });
  }
  await put('renewal', {
    site: 'enrolled',
    identity_key: DIGEST('2'),
    agent_time_ms: OPENED_MS,
    previous_digest: DIGEST('d'),
    previous_until_ms: OPENED_MS,
  });
  await put('authorities', { sequence: 1, act: JSON.stringify({ payload: 'eA==' }) });
  await put('plan', { digest: PLAN, name: 'older', published_ms: OPENED_MS });
  for (const [index, state] of RUN_STATES.entries()) await fillRun(put, `run-${state}`, state, index);
  for (const [index, state] of ROUND_STATES.entries()) await fillRound(put, 'run-running', index + 1, state);
  await put('object', {
    digest: DIGEST('0'),
    size: 5_000_000_000,
    purpose: 'ciphertext',
    run: 'run-running',
    site: 'enrolled',
    reader: null,
    stored_ms: OPENED_MS,
  });
  await put('object', { digest: DIGEST('1'), size: 1, purpose: 'plan', run: null, site: null, reader: null, stored_ms: OPENED_MS });
  await put('ledger_entry', { index: 0, entry: Buffer.from('entry'), payload: Buffer.from('{"payload":1}') });
  await source.query('UPDATE ledger_head SET size = 1');
  await put('ledger_tile', { level: 0, index: 0, hashes: Buffer.alloc(64, 1) });
  await put('witness_roll', { index: 0, payload: Buffer.from('{"payload":1}') });
  await put('checkpoint_offer', { size: 1, note: 'ledger.example/older\n1\n', began_ms: OPENED_MS, is_shown: true });
  await put('cosignature', { size: 1, vkey: 'enrolled+1', line: '— enrolled AAAA' });
}

type Put = (table: string, row: Record<string, unknown>) => Promise<void>;

async function fillRun(put: Put, run: string, state: string, index: number): Promise<void> {
  const times = {
    opened_ms: OPENED_MS + index,
    closed_ms: index > 3 ? OPENED_MS + 100 : null,
    approve_by_ms: index === 0 ? OPENED_MS + 9 : null,
  };
  const words = { cause: state === 'stuck' ? 'a cause' : '', what_to_do: state === 'stuck' ? 'what to do' : '' };
  await put('run', {
    run,
    plan: PLAN,
    plan_name: 'older',
    ordinal: index + 1,
    state,
    epoch: 1,
    sites: JSON.stringify(['enrolled', 'left']),
    model: state === 'completed' ? DIGEST('e') : 'none',
    version: index + 7,
    not_approved: JSON.stringify(index === 2 ? ['revoked'] : []),
    ...words,
    ...times,
  });
  await put('epoch', {
    run,
    epoch: 1,
    roster: JSON.stringify({ sites: [] }),
    fingerprint: DIGEST('f'),
    roster_digest: null,
    e0: null,
    e: null,
    renewal: null,
  });
  await put('act', {
    digest: DIGEST(`9${index}`),
    run,
    name: 'plan-approved',
    site: 'enrolled',
    slot: '',
    envelope: JSON.stringify({ payload: 'eA==' }),
    received_ms: OPENED_MS,
  });
  await put('event', { time_ms: OPENED_MS, run, type: 'run-state', state, site: '', text: 'older', sum: index === 0 ? null : index });
  await put('model_state', {
    run,
    round: 1,
    model: DIGEST('e'),
    object: DIGEST('0'),
    ranges: JSON.stringify([1.5]),
    weight_cap: 0.125,
    normalisation: JSON.stringify({ mean: [1] }),
  });
}

async function fillRound(put: Put, run: string, sum: number, state: string): Promise<void> {
  const isOver = state === 'closed';
  await put('round', {
    run,
    sum,
    epoch: 1,
    kind: sum === 1 ? 'confirm' : 'update',
    round: sum === 1 ? 0 : sum,
    confirms: sum === 1 ? 'enrolled' : null,
    state,
    attempt: 1,
    i: DIGEST('b'),
    model_in: DIGEST('e'),
    ranges: DIGEST('3'),
    normalisation: DIGEST('4'),
    weight_rule: DIGEST('6'),
    opened_ms: OPENED_MS,
    deadline_ms: OPENED_MS + 600_000,
    nonces: JSON.stringify([{ site: 'enrolled', nonce: DIGEST('7') }]),
    k: isOver ? DIGEST('8') : null,
    t: isOver ? DIGEST('8') : null,
    counted: JSON.stringify(isOver ? ['enrolled'] : []),
    excluded: JSON.stringify([{ site: 'left', reason: 'absent' }]),
    certificate: JSON.stringify([]),
    model_out: isOver ? DIGEST('9') : null,
    metric: isOver ? 0.5 : null,
    train_loss: isOver ? 0.25 : null,
    upload_bytes: 65_536,
    closed_ms: isOver ? OPENED_MS + 1 : null,
    cause: '',
    fixed_set: isOver ? null : JSON.stringify(['enrolled']),
    failure: state === 'garbled' ? JSON.stringify({ reason: 'parity', named: [], detail: '', shares: 3 }) : null,
  });
}
