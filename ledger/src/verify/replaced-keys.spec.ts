import { type Predicate, type PredicateName, type Statement, parseStatement } from '@coferment/consortium';
import { bytesToHex, digest } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { LyingLog } from './lying-log.fixture.js';
import { MemberKeys } from './member.keys.js';
import { ProblemList } from './problem.list.js';
import { CONSORTIUM, RUN, append, identityOf, operator, sampleLedger } from './sample-ledger.fixture.js';
import { failing, other, policy, problems, verifyFiles } from './verification.fixture.js';

const forger = identityOf('forger');
const enrolment = { consortium: CONSORTIUM, site: 'delta', identityKey: bytesToHex(forger.publicKey), certificate: other };
const revocation = { consortium: CONSORTIUM, site: 'delta', reason: 'x' };
const verified = async (log: LyingLog) => verifyFiles(await log.files(), { policy });

/** Signs again with the forger's key what delta has signed from this entry on. */
function signForDelta(log: LyingLog, from: number): void {
  for (let index = from; index < log.entries.length; index++) {
    const { name, predicate } = parseStatement(log.payloads[index]!) as Statement;
    if (!('site' in predicate) || predicate.site !== 'delta' || name === 'site-enrolled' || name === 'site-revoked') continue;
    append(log, name as PredicateName, predicate as Predicate<PredicateName>, forger);
    log.drop(index).move(log.entries.length - 1, index);
  }
}

describe('the key of a site', () => {
  it('is not replaced while the site is enrolled', async () => {
    const log = new LyingLog(sampleLedger());
    const at = log.find('key-epoch') + 1;
    log.insert(at, 'site-enrolled', enrolment);
    signForDelta(log, at + 1);
    const report = await verified(log);
    expect(report.verdict).toBe('does-not-hold');
    expect(problems(report, 'signatures')[0]).toContain(`entry ${at} (site-enrolled): "delta" is enrolled with key`);
  });

  it('is not replaced in the middle of a run, also not by a revocation', async () => {
    const log = new LyingLog(sampleLedger());
    const at = log.find('key-epoch') + 1;
    log.insert(at, 'site-revoked', revocation).insert(at + 1, 'site-enrolled', enrolment);
    signForDelta(log, at + 2);
    const report = await verified(log);
    expect(failing(report)).toEqual(['runs']);
    expect(problems(report, 'runs')[0]).toContain(`with which "delta" has not approved run "${RUN}"`);
  });

  it('may be enrolled anew after a revocation, for runs that it approves itself', async () => {
    const log = new LyingLog(sampleLedger());
    log.insert(log.entries.length, 'site-revoked', revocation).insert(log.entries.length, 'site-enrolled', enrolment);
    append(log, 'plan-approved', { consortium: CONSORTIUM, site: 'delta', plan: other, ordinal: 1, sites: ['delta'] }, forger);
    expect(failing(await verified(log))).toEqual([]);
  });

  it('may be that of the site before, which is enrolled again with another certificate', async () => {
    const log = new LyingLog(sampleLedger());
    const again = { ...enrolment, identityKey: bytesToHex(identityOf('delta').publicKey) };
    expect(failing(await verified(log.insert(log.find('key-epoch'), 'site-enrolled', again)))).toEqual([]);
  });

  it('signs nothing in a run that is not opened yet', async () => {
    const log = new LyingLog(sampleLedger());
    const opened = log.find('run-opened');
    log.move(opened + 1, opened);
    expect(problems(await verified(log), 'runs')).toEqual([
      `entry ${opened} (sealing-key): "alpha" acts in run "${RUN}", which is not opened yet`,
    ]);
  });

  it('of an auditor is not replaced either', async () => {
    const log = new LyingLog(sampleLedger());
    const auditor = { consortium: CONSORTIUM, auditor: 'eve', identityKey: digest('key', 1), certificate: other };
    append(log, 'auditor-enrolled', auditor, operator);
    expect(failing(await verified(log))).toEqual([]);
    append(log, 'auditor-enrolled', { ...auditor, identityKey: digest('key', 2) }, operator);
    expect(problems(await verified(log), 'signatures')[0]).toContain('"eve" is enrolled with key');
  });
});

describe('the keys of very many members', () => {
  it('are known without looking through all of them for each', () => {
    const list = new ProblemList();
    const keys = new MemberKeys(undefined, list);
    const started = performance.now();
    for (let index = 0; index < 40_000; index++) {
      const enrolled = { consortium: CONSORTIUM, site: `s${index}`, identityKey: `${index}`, certificate: other };
      keys.follow({ name: 'site-enrolled', predicate: enrolled } as Statement, { index, name: 'site-enrolled' });
    }
    expect(performance.now() - started).toBeLessThan(2000);
    expect(list.problems).toEqual([]);
    const reused = { consortium: CONSORTIUM, site: 'zulu', identityKey: '7', certificate: other };
    keys.follow({ name: 'site-enrolled', predicate: reused } as Statement, { index: 40_000, name: 'site-enrolled' });
    expect(list.problems[0]!.problem).toContain('is that of s7 already');
  });
});
