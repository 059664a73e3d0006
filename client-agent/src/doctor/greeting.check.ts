import { WIRE_VERSION } from '@coferment/consortium';
import { describeFailure } from '../agent.error.js';
import { failed, type Finding, passed, skipped, warned } from '../connection/finding.js';
import { EnrolmentClient } from '../enrolment/enrolment.client.js';
import { printable } from '../printable.text.js';
import type { DoctorSubject } from './doctor.subject.js';

const WARN_SKEW_MS = 30_000;
/** Beyond it the coordinator refuses to talk. */
const MOST_SKEW_MS = 5 * 60_000;
const SET_CLOCK = 'Switch on time synchronisation (NTP) on this machine; if it is on, ask the operator about the clock of the coordinator.';

/** Versions and clocks, in the words of the coordinator itself: the first exchange of every join, which needs no certificate. */
export async function checkGreeting(subject: DoctorSubject, deadlineMs: number): Promise<Finding[]> {
  const client = new EnrolmentClient(subject.endpoint);
  try {
    const sentMs = Date.now();
    const { wireVersion, consortium, coordinatorTimeMs } = await client.hello(sentMs, deadlineMs);
    const findings = [versionFinding(wireVersion), clockFinding(sentMs, Date.now(), coordinatorTimeMs)];
    if (consortium === subject.consortium) return findings;
    const found = `the coordinator is that of "${printable(consortium, 64)}", this site belongs to "${subject.consortium}"`;
    return [failed('server name', found, 'Ask the operator for the address of the right coordinator.'), ...findings];
  } catch (error) {
    return refusalFindings(error);
  } finally {
    client.close();
  }
}

function versionFinding(theirs: string): Finding {
  const both = `agent ${WIRE_VERSION}, coordinator ${theirs}`;
  return passed('wire version', theirs === WIRE_VERSION ? both : `${both}: one minor version apart, which works together`);
}

/** The answer was written about half-way between sending and receiving. */
export function clockFinding(sentMs: number, receivedMs: number, coordinatorMs: number): Finding {
  const skewMs = (sentMs + receivedMs) / 2 - coordinatorMs;
  const seconds = Math.round(Math.abs(skewMs) / 100) / 10;
  const found = `this machine is ${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} the coordinator`;
  if (Math.abs(skewMs) > MOST_SKEW_MS) return failed('clock', `${found}, which is more than 5 minutes`, SET_CLOCK);
  return Math.abs(skewMs) > WARN_SKEW_MS ? warned('clock', `${found}; from 5 minutes on it is refused`, SET_CLOCK) : passed('clock', found);
}

function refusalFindings(error: unknown): Finding[] {
  const { code, message } = describeFailure(error);
  const found = printable(message);
  switch (code) {
    case 'version-mismatch':
      return [
        failed('wire version', found, 'Install the agent release that the operator names.'),
        skipped('clock', 'not told to this version'),
      ];
    case 'clock-off':
      // The coordinator looks at the version first.
      return [passed('wire version', `agent ${WIRE_VERSION} is accepted`), failed('clock', found, SET_CLOCK)];
    default:
      return [
        failed('wire version', `the way is open, but the coordinator gives no answer: ${found}`, 'Ask the operator whether it runs.'),
      ];
  }
}
