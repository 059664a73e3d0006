import { createHash } from 'node:crypto';
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describeModel, modelDigest, type Predicate, parseInvite, parseStatement, vectorShape } from '@coferment/consortium';
import { ciphertextBlockSpan, coefficientCount, generateIdentity, merkleRoot, shareBlockSpan } from '@coferment/crypto';
import { parseVkey, policyOfLogKey } from '@coferment/ledger';
import { recomputeExport } from '@coferment/ledger/recompute';
import type { ApplySum, FrozenSum } from '@coferment/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportLedger } from '../cli/ledger.export.js';
import { readLedger, statementsOf } from '../cli/ledger.reader.js';
import { ask, downloadObject } from '../cli/operator.client.js';
import { ConsortiumIdentity } from '../identity/consortium.identity.js';
import { PLAN_TEXT, TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import type { ScriptedSite } from '../testing/scripted-site.fixture.js';
import { SiteCalls, joinConsortium } from '../testing/site-calls.fixture.js';
import { ObjectService } from './object.service.js';

/** More than 33 000 parameters, three to a coefficient: a whole block and a cut one. */
const TWO_BLOCKS = PLAN_TEXT.replace('{ kind: linear }', '{ kind: mlp, hidden: [180, 180] }');
const UPDATE = 5;
const refused = { code: 'unknown-object' };

describe('ciphertexts and shares', () => {
  const coordinator = new TestCoordinator({ charter: { witnessQuorum: 0 } });
  let sites: ScriptedSite[];
  let alpha: ScriptedSite;
  /** Enrolled, but of no run. */
  let stranger: ScriptedSite;
  let run: string;
  const stateOf = async (sum: number) => (await coordinator.run(run)).rounds.find((round) => round.sum === sum)?.state;
  const uploadsOf = ({ contributions }: FrozenSum) =>
    contributions.map(({ payload }) => parseStatement(payload).predicate as Predicate<'contribution'>);
  const kindsFor = async (site: ScriptedSite, appliedSum: number) =>
    (await site.calls.poll([{ run, appliedSum }], '', 0)).instructions.flatMap(({ kind }) => (kind === undefined ? [] : [kind]));

  beforeAll(async () => {
    await coordinator.start();
    sites = await coordinator.join('alpha', 'beta', 'gamma');
    [alpha] = sites as [ScriptedSite];
    run = await coordinator.launch(TWO_BLOCKS);
    [stranger] = (await coordinator.join('delta')) as [ScriptedSite];
  });
  afterAll(async () => {
    for (const site of [...sites, stranger]) site.calls.close();
    await coordinator.remove();
  });

  it('of a sum that is still open are shown to nobody, not even to who sent them', async () => {
    await workUntil(sites, async () => (await stateOf(UPDATE)) === 'attesting');
    // The site whose turn brought the run here may have attested already; all three are needed, so another one has not.
    const owed = await Promise.all(sites.map((site) => kindsFor(site, site.appliedSum)));
    const asked = owed.flat().find((kind) => kind.$case === 'attest');
    const uploads = asked?.$case === 'attest' ? uploadsOf(asked.attest.sums[0]!) : [];
    expect(uploads.map(({ site }) => site)).toEqual(['alpha', 'beta', 'gamma']);
    for (const { object } of uploads) {
      await expect(alpha.calls.download(object)).rejects.toMatchObject(refused);
      await expect(alpha.calls.blockDigests(object)).rejects.toMatchObject(refused);
    }
  });

  describe('of a closed sum', () => {
    let applied: ApplySum;
    /** Upload and share of every site, with where their blocks lie. */
    let objects: { object: string; blocks: number; merkleRoot: string; spans: { offset: number; length: number }[] }[];

    beforeAll(async () => {
      await workUntil(sites, () => sites.every((site) => site.closed));
      const kind = (await kindsFor(alpha, UPDATE - 1))[0];
      if (kind?.$case !== 'applySum') throw new Error(`expected applySum, got ${kind?.$case}`);
      applied = kind.applySum;
      const { parameters } = alpha.roster;
      const coefficients = coefficientCount(vectorShape(alpha.plan, 'update'), parameters);
      const spans = (of: typeof shareBlockSpan) => [0, 1].map((block) => of(block, coefficients, parameters));
      const shares = applied.shares.map(({ payload }) => parseStatement(payload).predicate as Predicate<'share'>);
      objects = [
        ...uploadsOf(applied.frozen!).map((upload) => ({ ...upload, spans: spans(ciphertextBlockSpan) })),
        ...shares.map((share) => ({ ...share, spans: spans(shareBlockSpan) })),
      ];
    });

    it('are read by every site of the run, block by block, as they were signed', async () => {
      expect(objects).toHaveLength(6);
      for (const site of sites) {
        for (const { object, blocks, merkleRoot: root, spans } of objects) {
          const digests = await site.calls.blockDigests(object);
          expect(digests).toHaveLength(blocks);
          expect(merkleRoot(digests)).toBe(root);
          expect(await site.calls.blockDigests(object, 1)).toEqual(digests.slice(1));
          for (const [block, { offset, length }] of spans.entries()) {
            const bytes = await site.calls.download(object, offset, length);
            expect(createHash('sha256').update(bytes).digest()).toEqual(digests[block]);
          }
          expect((await site.calls.download(object)).length).toBe(spans[1]!.offset + spans[1]!.length);
        }
      }
    });

    it('have no block and no byte beyond their end', async () => {
      for (const { object, spans } of objects) {
        const size = spans[1]!.offset + spans[1]!.length;
        await expect(alpha.calls.blockDigests(object, 2)).rejects.toMatchObject({ code: 'wrong-offset' });
        await expect(alpha.calls.download(object, size - 1, 2)).rejects.toMatchObject({ code: 'wrong-offset' });
        await expect(alpha.calls.download(object, 0, -1)).rejects.toMatchObject({ code: 'malformed' });
      }
    });

    it('are shown to no site of another run and to no stranger', async () => {
      const { coordinator: address, serverName, caCertificate } = parseInvite(await coordinator.invite('epsilon'));
      const nobody = new SiteCalls({ coordinator: address, serverName, caCertificate });
      for (const { object } of objects) {
        await expect(stranger.calls.download(object)).rejects.toMatchObject(refused);
        await expect(stranger.calls.blockDigests(object)).rejects.toMatchObject(refused);
        await expect(nobody.download(object)).rejects.toMatchObject({ code: 'unauthenticated' });
        await expect(nobody.blockDigests(object)).rejects.toMatchObject({ code: 'unauthenticated' });
      }
      nobody.close();
    });

    it('are read whole by the operator and by auditors, who recompute the sum; they get no block digests', async () => {
      const { operator, download } = coordinator.operator;
      const request = { site: 'eve', validHours: 1, address: '', preAdmitted: true, role: 'auditor' };
      const { invite } = await ask(operator.createInvite.bind(operator), request);
      const { calls: auditor } = await joinConsortium(invite, generateIdentity());
      for (const { object } of objects) {
        for (const bytes of [await downloadObject(coordinator.operator, object), await auditor.download(object)])
          expect(createHash('sha256').update(bytes).digest('hex')).toBe(object);
        const forbidden = { code: 'forbidden' };
        await expect(ask(download.getBlockDigests.bind(download), { digest: object, offset: 0 })).rejects.toMatchObject(forbidden);
        await expect(auditor.blockDigests(object)).rejects.toMatchObject(forbidden);
      }
      auditor.close();
    });

    it('are not for everybody, unless the charter lets anyone read the ledger', async () => {
      const service = coordinator.running.context.get(ObjectService);
      const { facts } = coordinator.running.context.get(ConsortiumIdentity);
      const sum = (parseStatement(applied.aggregate!.payload).predicate as Predicate<'aggregate'>).sumObject;
      const dealing = statementsOf(await readLedger(coordinator.operator)).find(({ name }) => name === 'dealing');
      const { masked, boxes } = dealing!.predicate as Predicate<'dealing'>;
      const readable = [...objects.map(({ object }) => object), sum, alpha.planDigest];
      for (const digest of readable) expect(await service.openForReaders(digest)).toBeUndefined();
      Object.assign(facts, { ledgerReaders: 'anyone' });
      try {
        for (const digest of readable) {
          const { size, chunks } = (await service.openForReaders(digest))!;
          const hash = createHash('sha256');
          let read = 0;
          for await (const chunk of chunks) {
            hash.update(chunk);
            read += chunk.length;
          }
          expect([hash.digest('hex'), read]).toEqual([digest, size]);
        }
        for (const digest of [masked, boxes[0]!['object']!, 'a'.repeat(64)]) expect(await service.openForReaders(digest)).toBeUndefined();
        expect((await stranger.calls.download(objects[0]!.object)).length).toBeGreaterThan(0);
      } finally {
        Object.assign(facts, { ledgerReaders: 'members-and-auditors' });
      }
    });

    it('are all that an auditor recomputes the whole run from, to the models that its sites have', async () => {
      const out = join(coordinator.folder, 'exported');
      const { logVkey, absent } = await exportLedger(coordinator.operator, out, { withObjects: true });
      expect(absent).toEqual([]);
      const report = await recomputeExport(out, { policy: policyOfLogKey(parseVkey(logVkey)), choice: { of: 'all' } });
      expect(report.sums.flatMap(({ problems }) => problems)).toEqual([]);
      expect(report.verdict).toBe('holds');
      expect(report.sums.map(({ kind, blocks, opened }) => ({ kind, blocks, opened }))).toEqual([
        ...[1, 2, 3].map(() => ({ kind: 'confirm', blocks: 1, opened: true })),
        { kind: 'statistics', blocks: 1, opened: true },
        { kind: 'update', blocks: 2, opened: true },
        { kind: 'evaluate', blocks: 1, opened: true },
      ]);
      const model = modelDigest(describeModel(alpha.plan), alpha.state!.model);
      expect(report.sums.at(-1)).toMatchObject({ modelIn: model, modelOut: model });
      expect((await coordinator.run(run)).model).toBe(model);
    });

    it('have block digests; plans and sums have none', async () => {
      const { predicate } = parseStatement(applied.aggregate!.payload) as { predicate: Predicate<'aggregate'> };
      for (const digest of [predicate.sumObject, alpha.planDigest]) {
        await expect(alpha.calls.blockDigests(digest)).rejects.toMatchObject(refused);
        expect((await alpha.calls.download(digest, 2, 3)).length).toBe(3);
      }
    });

    it('that are lost are said to be lost', async () => {
      const { object } = objects[0]!;
      const stored = join(coordinator.folder, 'objects');
      expect(readdirSync(stored)).toContain(object);
      rmSync(join(stored, object));
      await expect(alpha.calls.download(object, 0, 1)).rejects.toMatchObject(refused);
      await expect(alpha.calls.blockDigests(object)).rejects.toMatchObject(refused);
    });
  });
});
