import { type Plan, resolveQuorum, type SumKind, vectorShape } from '@coferment/consortium';
import { ciphertextBytes, coefficientCount, parameterSet, shareBytes } from '@coferment/crypto';
import type { LeavingItem } from '../data/index.js';
import { planParameters } from './roster.policy.js';

/** A signed statement with names, digests and numbers; none carries a record. */
const STATEMENT_BYTES = 1500;

/** Everything that a run of a plan sends from one site that is a key holder, by kind, with sizes. Retries can repeat an item. */
export function leavingItems(plan: Plan, sites: number): LeavingItem[] {
  const parameters = planParameters(plan, sites);
  const { m, tau } = resolveQuorum(plan, sites);
  const { dataPrimes, degree } = parameterSet(parameters.set);
  const element = dataPrimes.length * degree * 8;
  const coefficients = (kind: SumKind) => coefficientCount(vectorShape(plan, kind), parameters);
  const kinds = [
    { kind: 'confirm', times: 1, opened: sites },
    { kind: 'statistics', times: 1, opened: 1 },
    { kind: 'update', times: plan.rounds, opened: plan.rounds },
    { kind: 'evaluate', times: 1, opened: 1 },
  ] as const;
  return [
    { name: "dealing of this site's key, masked", bytes: 2 * tau * element, times: 1 },
    { name: 'key share, sealed to one key holder', bytes: 3 * element + 104, times: m },
    ...kinds.map(({ kind, times }) => ({
      name: `encrypted ${kind} vector`,
      bytes: ciphertextBytes(coefficients(kind), parameters),
      times,
    })),
    ...kinds.map(({ kind, opened }) => ({
      name: `decryption share of a ${kind} sum`,
      bytes: shareBytes(coefficients(kind), parameters),
      times: opened,
    })),
    {
      name: 'signed statements (approvals, nonces, upload and share signatures)',
      bytes: STATEMENT_BYTES,
      times: 5 + sites + 4 * (plan.rounds + 3),
    },
  ];
}
