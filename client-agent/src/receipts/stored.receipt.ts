import { type JudgedReceipt, parsePolicy, type WitnessPolicy } from '@coferment/ledger';
import { AgentError, describeFailure } from '../agent.error.js';
import type { Membership } from '../enrolment/membership.file.js';
import type { Journal } from '../journal/journal.js';
import type { Receipt, ReceiptMaterial } from '../journal/receipts.repository.js';
import { judgeReceipt } from './receipt.judgement.js';

/** A receipt that this site has, with the bytes that it signed. */
export interface StoredReceipt {
  receipt: Receipt;
  material: ReceiptMaterial;
  contribution: Uint8Array;
}

/** @throws AgentError 'no-receipt' where there is none yet; the message says why */
export function requireStored(journal: Journal, run: string, sum: number): StoredReceipt {
  const receipt = journal.receipts.find(run, sum);
  if (receipt === undefined) {
    const known = journal.receipts.all().map((other) => `sum ${other.sum} of ${other.run}`);
    throw new AgentError(
      'no-receipt',
      `No contribution of this site to sum ${sum} of "${run}" was counted. Counted: ${known.join(', ') || 'none so far'}.`,
    );
  }
  return withContribution(journal, receipt);
}

/** @throws AgentError 'no-receipt' */
export function withContribution(journal: Journal, receipt: Receipt): StoredReceipt {
  const { stored, contribution, run, sum } = receipt;
  if (stored === undefined)
    throw new AgentError(
      'no-receipt',
      `The receipt of sum ${sum} of ${run} is not here yet: ${stateText(receipt)}. The serving agent goes on asking.`,
    );
  const signed = journal.statements.at(contribution);
  if (signed === undefined)
    throw new AgentError(
      'journal-damaged',
      `The journal has a receipt of sum ${sum} of ${run}, but not the contribution ${contribution} that it is of.`,
    );
  return { receipt, material: stored, contribution: Buffer.from(signed.payload, 'base64') };
}

/**
 * Verifies a stored receipt again, offline.
 * @param policy from outside; without it, the witnesses that the ledger named below the receipt's checkpoint
 */
export function judgeStored({ receipt, material, contribution }: StoredReceipt, member: Membership, policy?: WitnessPolicy): JudgedReceipt {
  const { operatorKey, identityKey, logVkey } = member;
  const named = policy ?? parsePolicy(material.policy);
  if (policy === undefined && !material.policy.startsWith(`log ${logVkey}\n`))
    throw new AgentError(
      'receipt-refused',
      `The receipt of sum ${receipt.sum} of ${receipt.run} names another log than this site's membership.`,
    );
  return judgeReceipt(material, contribution, { operatorKey, siteKey: identityKey, policy: named });
}

/** A receipt that cannot even be read does not hold; what it says instead is the problem. */
export function problemsOf(stored: StoredReceipt, member: Membership, policy?: WitnessPolicy): { problems: string[]; witnesses: number } {
  try {
    const { verdict, problems, witnesses } = judgeStored(stored, member, policy);
    return { problems: verdict === 'holds' ? [] : [...problems], witnesses: witnesses.length };
  } catch (error) {
    return { problems: [describeFailure(error).message], witnesses: 0 };
  }
}

/** `stored`, or what it waits for. */
export function stateText({ stored, needed }: Receipt): string {
  if (stored !== undefined) return 'stored';
  return needed === undefined ? 'waiting for the coordinator' : `waiting for witnesses (${needed} are needed)`;
}
