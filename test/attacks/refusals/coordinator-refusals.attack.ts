/*
 * Refusals of the coordinator that no attack of the list meets: an operator's slips, an enrolled site that asks for what is not there or sends what is too
 * large, and a data folder that was put back to an older one. Each by its code.
 */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { planDigest } from '@coferment/consortium';
import { bytesToHex, generateSealingKey } from '@coferment/crypto';
import { ObjectPurpose } from '@coferment/proto';
import { emptyRoot } from '@coferment/ledger';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinConsortium } from '../../../client-agent/src/enrolment/join.flow.js';
import { ask } from '../../../coordinator/src/cli/operator.client.js';
import { readFacts } from '../../../coordinator/src/identity/consortium.facts.js';
import { readSealed } from '../../../coordinator/src/identity/sealed.file.js';
import { requireExtends } from '../../../coordinator/src/publication/checkpoint.file.js';
import { PLAN_TEXT, TestCoordinator } from '../../../coordinator/src/testing/coordinator.fixture.js';
import type { ScriptedSite } from '../../../coordinator/src/testing/scripted-site.fixture.js';
import { failureOf } from '../cases/attacked.consortium.fixture.js';

const coordinator = new TestCoordinator();
let sites: ScriptedSite[];
let run: string;

beforeAll(async () => {
  await coordinator.start();
  sites = await coordinator.join('alpha', 'beta', 'gamma');
  run = await coordinator.launch();
  await sites[0]!.work();
});
afterAll(async () => {
  for (const site of sites) site.calls.close();
  await coordinator.remove();
});

describe('an operator', () => {
  it('cannot launch a plan that is not published, nor among sites that are not there', async () => {
    const { operator } = coordinator.operator;
    expect(
      await failureOf(ask(operator.launchRun.bind(operator), { plan: '1'.repeat(64), sites: [], approveWithinMs: 0, startAtMs: 0 })),
    ).toMatchObject({
      code: 'unknown-plan',
    });
    const { plan } = await ask(operator.publishPlan.bind(operator), { plan: PLAN_TEXT });
    expect(
      await failureOf(
        ask(operator.launchRun.bind(operator), { plan, sites: ['alpha', 'nobody', 'zeta'], approveWithinMs: 0, startAtMs: 0 }),
      ),
    ).toMatchObject({
      code: 'unknown-site',
    });
  });

  it('cannot start a key epoch that is not the next, or in a run that has none yet', async () => {
    const { operator } = coordinator.operator;
    for (const epoch of [1, 2, 3]) {
      const request = { run, epoch, leaveOut: '', replaceHolder: '' };
      expect(await failureOf(ask(operator.renewEpoch.bind(operator), request))).toMatchObject({ code: 'no-new-epoch' });
    }
  });

  it('cannot look at a run that is not there', async () => {
    expect(await failureOf(coordinator.run('r9-0123456789abcdef'))).toMatchObject({ code: 'unknown-run' });
  });
});

describe('an enrolled site', () => {
  it('cannot sign for another launch or another consortium', async () => {
    const [alpha, beta] = sites as [ScriptedSite, ScriptedSite];
    await beta.calls.poll([], '', 0);
    const approval = { consortium: 'scripted', site: 'beta', plan: planDigest(alpha.plan), ordinal: 1, sites: ['alpha', 'beta'] };
    expect(await failureOf(beta.submit('plan-approved', approval))).toMatchObject({ code: 'other-launch' });
    expect(await failureOf(beta.submit('plan-approved', { ...approval, consortium: 'other' }))).toMatchObject({ code: 'other-consortium' });
    expect(await failureOf(beta.submit('plan-approved', { ...approval, ordinal: 7 }))).toMatchObject({ code: 'unknown-run' });
    expect((await coordinator.run(run)).waitingFor).toEqual(['beta', 'gamma']);
  });

  it('cannot say a second thing in the place of a first', async () => {
    const [alpha, beta, gamma] = sites as [ScriptedSite, ScriptedSite, ScriptedSite];
    for (const site of [beta, gamma]) await site.work();
    await coordinator.rest(run);
    expect(await alpha.work()).toEqual(['offerSealingKey']);
    const other = { consortium: 'scripted', run, epoch: 1, site: 'alpha', key: bytesToHex(generateSealingKey().publicKey) };
    expect(await failureOf(alpha.submit('sealing-key', other))).toMatchObject({ code: 'already-different' });
  });

  it('cannot send fields or chunks beyond their size', async () => {
    const [alpha] = sites as [ScriptedSite];
    expect(await failureOf(alpha.calls.poll([], 'x'.repeat(65), 0))).toMatchObject({ code: 'too-large' });
    const header = { digest: '1'.repeat(64), size: 10, offset: 0, purpose: ObjectPurpose.OBJECT_PURPOSE_CIPHERTEXT, run };
    expect(await failureOf(alpha.calls.send(header, new Uint8Array(10)))).toMatchObject({
      code: expect.stringMatching(/not-owed|wrong-size/),
    });
  });

  it('joins a folder once', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'joining-'));
    const inviteFile = join(folder, 'invite');
    writeFileSync(inviteFile, await coordinator.invite('delta'));
    const input = { inviteFile, folder: join(folder, 'site'), passphrase: 'a passphrase for tests' };
    await joinConsortium(input);
    expect(await failureOf(joinConsortium(input))).toMatchObject({ code: 'already-joined' });
    rmSync(folder, { recursive: true, force: true });
  });
});

describe('a data folder', () => {
  it('that holds no consortium, or damaged secrets, is refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'empty-'));
    expect(await failureOf(() => readFacts(folder))).toMatchObject({ code: 'folder-unusable' });
    const read = () => failureOf(() => readSealed(folder, 'secrets', 'a passphrase', z.unknown()));
    expect(await read()).toMatchObject({ code: 'folder-unusable' });
    writeFileSync(join(folder, 'secrets.sealed'), '{', { mode: 0o600 });
    expect(await read()).toMatchObject({ code: 'folder-unusable' });
    chmodSync(folder, 0o750);
    expect(await read()).toMatchObject({ code: 'file-mode' });
    rmSync(folder, { recursive: true, force: true });
  });

  it('older than what was published is refused: going on would fork the log', async () => {
    const { logVkey } = readFacts(coordinator.folder);
    const checkpoint = join(coordinator.folder, 'checkpoint');
    expect(readFileSync(checkpoint, 'utf8')).toContain('ledger.localhost/scripted');
    expect(await failureOf(() => requireExtends(checkpoint, { size: 0, root: () => Promise.resolve(emptyRoot()) }, logVkey))).toMatchObject(
      { code: 'log-forked' },
    );
  });
});
