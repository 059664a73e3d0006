import type { SumKind } from '@coferment/consortium';

/** What one signer may sign once: the last part of an act's unique name. */
export const slots = {
  ofRun: (): string => '',
  ofEpoch: (epoch: number): string => `${epoch}`,
  ofDealing: (epoch: number, dealer: string): string => `${epoch}/${dealer}`,
  ofAttempt: (sum: number, attempt: number): string => `${sum}/${attempt}`,
  ofSum: (sum: number): string => `${sum}`,
  /** Pauses and extensions are counted within a run, from 1. */
  ofCount: (count: number): string => `${count}`,
  /** Of a site that was set aside with its failure in this sum: what came before is forgiven, once. */
  ofReadmission: (site: string, sum: number): string => `${site}/${sum}`,
  ofStop: (sum: number, stop: number): string => `${sum}/${stop}`,
  /** Of a proposal of another set, and of its approvals. */
  ofProposal: (sum: number, proposal: number): string => `${sum}/${proposal}`,
  ofRefusal: (subject: string, rule: string): string => `${subject}/${rule}`,
  /** One attestation covers all confirm sums of an epoch, and one sum otherwise. */
  ofAttestation: (kind: SumKind, epoch: number, sum: number): string => (kind === 'confirm' ? `confirm/${epoch}` : `${sum}`),
};
