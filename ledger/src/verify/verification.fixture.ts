import type { Predicate, PredicateName } from '@coferment/consortium';
import { digest } from '@coferment/crypto';
import { policyOfLogKey } from '../policy/index.js';
import { type CheckId, type VerificationReport, type VerifyOptions, verifyExport } from './index.js';
import { type Forgery, LOG_KEY, type SampleLedger, exportSample } from './sample-ledger.fixture.js';

export const policy = policyOfLogKey(LOG_KEY);
export const other = digest('fixture', 'other');

export const verifyFiles = (files: ReadonlyMap<string, Uint8Array>, options: VerifyOptions = { policy }) =>
  verifyExport((path) => files.get(path), options);

export const verifyLedger = async (ledger: SampleLedger, options?: VerifyOptions) => verifyFiles(await exportSample(ledger), options);

export const failing = (report: VerificationReport) => report.checks.filter(({ outcome }) => outcome === 'fails').map(({ id }) => id);

export const check = (report: VerificationReport, id: CheckId) => report.checks.find((candidate) => candidate.id === id)!;

export const problems = (report: VerificationReport, id: CheckId) =>
  check(report, id).problems.map(({ where, problem }) => `${where}: ${problem}`);

/** Changes statements of one name where they match; undefined leaves them out. */
export function forging<N extends PredicateName>(
  name: N,
  change: (predicate: Predicate<N>) => Partial<Predicate<N>> | undefined,
  where: (predicate: Predicate<N>) => boolean = () => true,
): Forgery {
  return (found, predicate) => {
    if ((found as PredicateName) !== name || !where(predicate as never)) return predicate;
    const changed = change(predicate as never);
    return changed && { ...predicate, ...changed };
  };
}

/** name of the case, what is forged, the check that must find it, and a part of what it must say. */
export type ForgeryCase = [string, Forgery, CheckId, string];
