import {
  parseEntryProof,
  type JudgedReceipt,
  freezeOf,
  judgeContribution,
  isContribution,
  proveStatement,
  type WitnessPolicy,
} from '@coferment/ledger';
import { AgentError } from '../agent.error.js';
import type { ReceiptMaterial } from '../journal/receipts.repository.js';

/** What this site leans on: keys from its membership, and what the ledger said of witnesses. */
export interface ReceiptKeys {
  /** Hex. */
  operatorKey: string;
  /** Hex: with which key this site signs. */
  siteKey: string;
  policy: WitnessPolicy;
}

/**
 * Verifies both proofs of a receipt from nothing but what is given: the entries are in the log, the log has signed, and the operator's freeze counts this very
 * upload of this site. Whether enough witnesses have cosigned is part of the judgement.
 * @param contribution the bytes that this site signed
 * @throws LedgerError or AgentError 'receipt-refused' for proofs that do not hold
 */
export function judgeReceipt(
  material: ReceiptMaterial,
  contribution: Uint8Array,
  { operatorKey, siteKey, policy }: ReceiptKeys,
): JudgedReceipt {
  const keys = [...policy.logs, ...policy.witnesses];
  const own = proveStatement(parseEntryProof(material.contributionProof), contribution, keys);
  const frozen = proveStatement(parseEntryProof(material.freezeProof), Buffer.from(material.freeze), keys);
  const freeze = freezeOf(frozen);
  if (!isContribution(own) || !freeze)
    throw new AgentError(
      'receipt-refused',
      `The receipt is of a ${own.statement.name} and a ${frozen.statement.name}, not of a contribution and its freeze.`,
    );
  const judged = judgeContribution(own, [freeze], [], { policy, operatorKey, siteKey: () => siteKey });
  if (policy.isMetBy(frozen.checkpoint.note.verifiedBy)) return judged;
  return {
    ...judged,
    verdict: 'does-not-hold',
    problems: [...judged.problems, 'Too few witnesses have cosigned the checkpoint of the freeze.'],
  };
}
