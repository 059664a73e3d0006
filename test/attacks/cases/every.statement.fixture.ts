import { type Predicate, type PredicateName, predicates, runId, type SumKind } from '@coferment/consortium';

export const names = Object.keys(predicates) as PredicateName[];
export const DIGEST = '9'.repeat(64);

export interface Here {
  consortium: string;
  run: string;
  plan: string;
  sites: readonly string[];
  e: string;
  e0: string;
  sum: number;
  kind: SumKind;
  /** A usable sealing key. */
  key: string;
}

/** Any valid statement of each kind, signed for exactly the run and sum that the site is in: only its purpose is another. */
export function everyStatement(
  { consortium, run, plan, sites, e, e0, sum: number, kind, key }: Here,
  site: string,
): { [N in PredicateName]: Predicate<N> } {
  const here = { consortium, run };
  const sum = { ...here, e, kind, sum: number };
  const epoch = { ...here, epoch: 1 };
  const at = { round: 1, attempt: 1 };
  const numbers = { n: 4, m: 4, tau: 3, c: 1, rho: 3, minContributors: 3 };
  return {
    'consortium-founded': { consortium, origin: 'o', operatorKey: DIGEST, wireVersion: '1.0' },
    'site-enrolled': { consortium, site, identityKey: DIGEST, certificate: DIGEST },
    'site-revoked': { consortium, site, reason: 'r' },
    'site-left': { consortium, site, reason: 'r' },
    'auditor-enrolled': { consortium, auditor: 'a', identityKey: DIGEST, certificate: DIGEST },
    'auditor-revoked': { consortium, auditor: 'a', reason: 'r' },
    charter: { consortium, ledgerReaders: 'members', siteNames: 'plain', witnessQuorum: 2, witnesses: [] },
    'witness-key': { consortium, site, key: DIGEST },
    authorities: { consortium, sequence: 1, certificates: ['c'] },
    'instruction-refused': { ...here, site, subject: 's', rule: 'r', reason: 'r' },
    'plan-published': { consortium, plan: DIGEST, name: 'p' },
    'plan-approved': { consortium, site, plan, ordinal: 1, sites: [...sites] },
    'run-opened': { ...here, plan: DIGEST, ordinal: 1, sites: [...sites] },
    'sealing-key': { ...epoch, site, key: key },
    'roster-approved': { ...epoch, site, roster: DIGEST, fingerprint: DIGEST, e0 },
    dealing: { ...epoch, e0, site, commitments: [], masked: DIGEST, boxes: [] },
    'dealing-ack': { ...epoch, e0, dealer: 'a', site, dealing: DIGEST },
    'dealing-refused': { ...epoch, e0, dealer: 'a', site, dealing: DIGEST, reason: 'r' },
    'epoch-agreed': { ...epoch, e0, e, site, dealings: [], leftOut: [] },
    'epoch-left': { ...epoch, site, reason: 'restored' },
    'key-epoch': { ...epoch, roster: DIGEST, e0, e, numbers, keyHolders: [...sites], dealings: [], leftOut: [] },
    nonce: { ...sum, i: DIGEST, attempt: 1, site, nonce: DIGEST },
    'attempt-declined': { ...sum, attempt: 1, site, reason: 'no-data' },
    contribution: {
      ...sum,
      k: DIGEST,
      attempt: 1,
      site,
      blocks: 1,
      droppedBits: 1,
      object: DIGEST,
      merkleRoot: DIGEST,
      ranges: DIGEST,
      sampleCommitment: DIGEST,
      batchCommitment: DIGEST,
      dataReportCommitment: DIGEST,
      backend: 'none',
    },
    'round-frozen': {
      ...sum,
      ...at,
      epoch: 1,
      i: DIGEST,
      modelIn: DIGEST,
      ranges: DIGEST,
      normalisation: DIGEST,
      weightRule: 'w',
      nonces: [],
      k: DIGEST,
      t: DIGEST,
      counted: [],
      excluded: [],
    },
    attestation: {
      ...epoch,
      e,
      kind,
      site,
      sums: [{ sum: number, k: DIGEST, t: DIGEST, set: DIGEST, modelIn: DIGEST }],
    },
    share: { ...sum, k: DIGEST, t: DIGEST, site, blocks: 1, object: DIGEST, merkleRoot: DIGEST },
    aggregate: {
      ...sum,
      epoch: 1,
      round: 1,
      k: DIGEST,
      t: DIGEST,
      sumObject: DIGEST,
      certificate: [],
      shares: [],
      modelIn: DIGEST,
      modelOut: DIGEST,
    },
    evaluation: { ...here, round: 1, sum: 1, model: DIGEST, metric: 'rmse', value: 1, holdoutCount: 1 },
    'round-abandoned': { ...sum, ...at, reason: 'r', excluded: [] },
    'round-garbled': { ...sum, round: 1, reason: 'parity', named: [] },
    'round-stuck': { ...sum, round: 1, reason: 'r' },
    'new-set-proposed': { ...sum, modelIn: DIGEST, t: DIGEST, before: ['alpha', 'beta'], after: ['alpha'], approvers: ['alpha', 'beta'] },
    'new-set-approved': { ...sum, site, proposal: DIGEST, before: ['alpha', 'beta'], after: ['alpha'] },
    'run-paused': { ...here, pause: 1, reason: 'r' },
    'run-resumed': { ...here, pause: 1 },
    'deadline-extended': { ...here, extension: 1, sum: 1, byMs: 1, reason: 'r' },
    'site-readmitted': { ...here, site, sum: 1 },
    'model-released': { ...here, model: DIGEST, parameters: 1 },
    'run-closed': { ...here, status: 'failed', rounds: 0, model: 'none', contributions: [] },
  };
}

/** The same field with another value that is as valid. */
export function another(field: string, value: unknown, { sites, key }: Pick<Here, 'sites' | 'key'>): unknown {
  if (typeof value === 'number') return value + 1;
  if (Array.isArray(value)) return anotherList(value as (string | object)[]);
  if (field === 'consortium') return 'other';
  if (field === 'run') return runId(DIGEST, 2);
  if (field === 'kind') return value === 'update' ? 'evaluate' : 'update';
  if (field === 'site' || field === 'dealer') return sites.find((site) => site !== value && site !== sites[1]) ?? 'zz';
  if (field === 'key') return key;
  return value === DIGEST ? '8'.repeat(64) : DIGEST;
}

function anotherList([first, ...rest]: (string | object)[]): unknown {
  if (first === undefined) return ['zz'];
  if (typeof first === 'string') return first.length === DIGEST.length ? [DIGEST, ...rest] : rest;
  const last = Object.keys(first).at(-1)!;
  return [{ ...first, [last]: DIGEST }, ...rest];
}
