import type { SecretFlags } from '@coferment/crypto';
import { probeSteps, type ProbeSettings } from '../connection/connection.probe.js';
import { type CheckName, CHECKS, type Finding, skipped } from '../connection/finding.js';
import { checkData } from './data.check.js';
import type { DoctorSubject } from './doctor.subject.js';
import { checkFolder } from './folder.checks.js';
import { checkGreeting } from './greeting.check.js';
import { checkKeys } from './key.checks.js';

export interface Examination extends SecretFlags {
  mapping?: string;
  records?: string;
  probe?: Partial<ProbeSettings>;
}

const NETWORK = CHECKS.slice(0, CHECKS.indexOf('certificate'));
const GREETING_MS = 15_000;

/**
 * Everything that can keep an agent from taking part, in the order in which it would meet it. Changes nothing at the coordinator and asks it nothing
 * but what any stranger may ask. What could not be looked at is named, so that a short list is never mistaken for a good one.
 */
export async function* examine(subject: DoctorSubject, examination: Examination): AsyncGenerator<Finding> {
  yield* examineNetwork(subject, examination);
  yield* (await examineSite(subject, examination)).sort((a, b) => CHECKS.indexOf(a.check) - CHECKS.indexOf(b.check));
  yield await checkData(examination.mapping, examination.records);
}

async function examineSite({ folder, member }: DoctorSubject, secret: SecretFlags): Promise<Finding[]> {
  const keys =
    member !== undefined && folder !== undefined
      ? await checkKeys(folder, member, secret, Date.now())
      : [skipped('certificate', 'this site has not joined yet')];
  const noFolder = () => skipped('disk', 'no data folder was named', 'Give --data with the folder that the site is to use.');
  return [...keys, ...(folder === undefined ? [noFolder()] : checkFolder(folder))];
}

async function* examineNetwork(subject: DoctorSubject, { probe = {} }: Examination): AsyncGenerator<Finding> {
  const seen = new Set<CheckName>();
  let works = true;
  for await (const finding of probeSteps(subject.endpoint, probe)) {
    seen.add(finding.check);
    works &&= finding.result !== 'fail';
    yield finding;
  }
  if (works) {
    yield* await checkGreeting(subject, probe.timeoutMs ?? GREETING_MS);
    return;
  }
  for (const check of NETWORK) if (!seen.has(check)) yield skipped(check, 'the connection fails before it');
}
