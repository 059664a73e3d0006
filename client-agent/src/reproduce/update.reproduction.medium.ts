import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { committedFacts, peekStatement, planDigest, type Predicate, signStatement, sumInput } from '@coferment/consortium';
import { bytesToHex, loadCrypto } from '@coferment/crypto';
import { opens } from '@coferment/ledger';
import { beforeAll, describe, expect, it } from 'vitest';
import { verifyJournal } from '../journal/journal.verification.js';
import { pruneMaterial } from '../journal/material.pruning.js';
import { readRecord } from '../journal/record.chain.js';
import { findOpenings } from '../receipts/contribution.openings.js';
import type { ScriptedConsortium } from '../rounds/consortium.fixture.js';
import type { Member } from '../rounds/members.fixture.js';
import { openConsortium } from '../rounds/opened.consortia.fixture.js';
import { closeRun } from '../rounds/publication.handlers.js';
import { leaveOut, writeRecords } from '../testing/site.records.fixture.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';
import { SiteTrainer } from '../training/site.trainer.js';
import { gatherMaterial, reproduce, type Reproduction, type Wanted } from './update.reproduction.js';

const SEED = new Uint8Array(32).fill(7);
let consortium: ScriptedConsortium;
let site: Member;

/** A whole run in which site a trains on records of its own; after it nothing of the vectors is left. */
beforeAll(async () => {
  await loadCrypto();
  consortium = openConsortium();
  const records = writeRecords(temporaryFolder('records'));
  site = Object.assign(consortium.member('a'), { trainer: await SiteTrainer.start(records, SEED, 'cpu') });
  await consortium.toRounds();
  await consortium.wholeSum(consortium.name('update', 5, 1));
  await consortium.wholeSum(consortium.name('update', 6, 2));
  await consortium.wholeSum(consortium.name('evaluate', 7, 2));
  const { run, operator } = consortium;
  const closed = { consortium: 'acme', run, status: 'completed' as const, rounds: 2, model: 'none', contributions: [] };
  await closeRun(site, { run, closing: signStatement('run-closed', closed, operator) });
});

async function made(
  wanted: { sum: number } | { round: number },
  {
    change,
    without,
    seed = SEED,
    backend = 'cpu',
  }: { change?: (text: string) => string; without?: string; seed?: Uint8Array; backend?: 'cpu' | 'wasm' } = {},
): Promise<Reproduction> {
  const records = writeRecords(temporaryFolder('records-later'), change);
  if (without !== undefined) leaveOut(records.dataDir, without);
  const trainer = await SiteTrainer.start(records, seed, backend);
  const material = gatherMaterial(site.journal, site.objects, { run: consortium.run, ...wanted } as Wanted);
  return reproduce(material, trainer, backend);
}

describe('an update of a run that is over', () => {
  it('is gone from the site, and is made again to the last bit', async () => {
    const plan = planDigest(consortium.plan);
    expect(site.journal.rounds.vector(plan, 'update', sumInput(consortium.plan, 'update', consortium.state).modelIn)).toBeUndefined();
    for (const round of [1, 2]) {
      const found = await made({ round });
      expect(found).toMatchObject({ matches: true, round, sum: 4 + round, kind: 'update', differs: [], reasons: [] });
      // The vector, the records, the model, and seven things that were signed with the upload.
      expect(found.alike).toHaveLength(10);
    }
  });

  it('can also be the statistics or the evaluation', async () => {
    expect(await made({ sum: 4 })).toMatchObject({ matches: true, kind: 'statistics', round: 0 });
    expect(await made({ sum: 7 })).toMatchObject({ matches: true, kind: 'evaluate', round: 2 });
    expect((await made({ sum: 5 })).kind).toBe('update');
  });

  it('is another one with one changed record value, and it is said that the records are others', async () => {
    const found = await made({ round: 1 }, { change: (text) => text.replace('B2,8,9.600', 'B2,8,9.700') });
    expect(found.matches).toBe(false);
    // It is the largest value of its batch, which the data report names.
    const report = 'commitment to the data report in the signed upload to sum 5, attempt 1';
    expect(found.differs).toEqual(['the vector of the record, all coefficients', 'the records that were read, to the last value', report]);
    expect(found.reasons).toEqual([expect.stringMatching(/The records are not those/)]);
    // So small a change that rounding swallows it: the update is the same, the records are not.
    const small = await made({ round: 1 }, { change: (text) => text.replace('B2,8,9.600', 'B2,8,9.6000000001') });
    expect(small).toMatchObject({ matches: false, differs: ['the records that were read, to the last value', report] });
    // Fewer rows show in the commitment that was signed with the upload, too.
    const inner = await made({ round: 1 }, { change: (text) => text.replace('B2,4,4.800', 'B2,4,4.8000000001') });
    expect(inner.differs).toEqual(['the records that were read, to the last value']);
    const fewer = await made({ round: 1 }, { change: (text) => text.replace(/B2,8,.*\n/, '') });
    expect(fewer.differs).toContainEqual(expect.stringMatching(/number of samples in the signed upload to sum 5, attempt 1/));
    const none = await made({ round: 1 }, { without: 'B2' });
    expect(none.differs).toContainEqual(expect.stringMatching(/number of batches in the signed upload to sum 5, attempt 1/));
  });

  it('is another one with another training seed or backend, and that is said', async () => {
    const seeded = await made({ round: 1 }, { seed: new Uint8Array(32).fill(8) });
    expect(seeded.differs).toEqual(['the vector of the record, all coefficients']);
    expect([seeded.matches, seeded.reasons]).toEqual([false, [expect.stringMatching(/training seed/)]]);
    const other = await made({ round: 1 }, { backend: 'wasm' });
    expect(other.differs).toContainEqual(expect.stringMatching(/backend in the signed upload/));
    expect(other.reasons).toEqual([expect.stringMatching(/give --backend cpu/)]);
  });

  it('is not looked for where there is none, and the message says what there is', () => {
    const gather = (wanted: Wanted) => () => gatherMaterial(site.journal, site.objects, wanted);
    expect(gather({ run: 'r9-0000000000000000', round: 1 })).toThrow(/nothing of this run/);
    expect(gather({ run: consortium.run, round: 3 })).toThrow(/has no round 3 .* sum 5 \(update, round 1\), sum 6/);
    expect(gather({ run: consortium.run, sum: 1 })).toThrow(/has no sum 1/);
  });
});

describe('what the run leaves of the contributions themselves', () => {
  it('is a receipt that is owed for each that was counted, and none for the confirmation of a key', () => {
    const owed = site.journal.receipts.all();
    expect(owed.map(({ sum, kind, round }) => [sum, kind, round])).toEqual([
      [4, 'statistics', 0],
      [5, 'update', 1],
      [6, 'update', 2],
      [7, 'evaluate', 2],
    ]);
    for (const { contribution, sum } of owed) {
      const { name, predicate } = peekStatement(site.journal.statements.at(contribution)!);
      expect([name, predicate]).toMatchObject(['contribution', { site: 'a', sum }]);
    }
  });

  it('is what opens each commitment, though the vectors are erased', () => {
    const opened = site.journal.receipts.all().map(({ contribution }) => {
      const { predicate } = peekStatement(site.journal.statements.at(contribution)!) as { predicate: Predicate<'contribution'> };
      const found = findOpenings(site.journal, predicate)!;
      for (const fact of committedFacts) expect(opens(predicate, found[fact])).toBe(true);
      return committedFacts.slice(0, 2).map((fact) => found[fact].value);
    });
    // 12 batches, of which the plan keeps 2 aside; 3 rows of each.
    expect(opened).toEqual([
      [30, 10],
      [30, 10],
      [30, 10],
      [6, 2],
    ]);
  });
});

describe('what is kept for it', () => {
  it('tells nobody a vector, a number of samples or a record that it can be tried on', () => {
    const record = site.journal.record
      .lines()
      .map(({ line }) => line)
      .join('\n');
    expect(record).not.toContain(site.trainer.source.batches);
    expect(record).not.toContain(site.trainer.source.mapping);
    const trained = readRecord(site.journal.record.lines()).entries.filter((entry) => entry.kind === 'trained');
    expect(trained).toHaveLength(4);
    // One model a sum, four bytes a parameter: two weights.
    const sizes = trained.flatMap(({ from }) => (typeof from?.start === 'string' ? [site.objects.sizeOf(from.start)] : []));
    expect(sizes).toHaveLength(3);
    for (const size of sizes) expect(size).toBeLessThan(400);
  });

  it('is missed when it is gone, and gone when a person asks for it', async () => {
    const check = () => verifyJournal(site.folder, { site: 'a', identityKey: bytesToHex(site.identity.publicKey) }).report;
    const first = readRecord(site.journal.record.lines()).entries.find((entry) => entry.kind === 'trained' && entry.from?.sum === 5);
    const start = first?.kind === 'trained' ? first.from!.start! : '';
    const file = join(site.folder, 'objects', start);
    const bytes = readFileSync(file);
    writeFileSync(file, Buffer.concat([bytes, Buffer.of(0)]));
    expect(check().findings).toEqual([{ where: `the file objects/${start}`, problem: expect.stringMatching(/was changed/) as string }]);
    rmSync(file);
    expect(check()).toMatchObject({
      verdict: 'holds',
      notes: expect.arrayContaining([expect.stringMatching(/1 states .* cannot be reproduced/)]) as string[],
    });
    await expect(made({ round: 1 })).rejects.toThrow(/the state that sum 5 started from is not in the folder/);
    writeFileSync(file, bytes);
    expect(() => pruneMaterial(site.journal, site.objects, 'r9-0000000000000000')).toThrow(/keeps no states/);
    const pruned = pruneMaterial(site.journal, site.objects, consortium.run);
    expect(pruned.objects).toBe(3);
    await expect(made({ round: 1 })).rejects.toThrow(/it was pruned/);
    expect(await made({ sum: 4 })).toMatchObject({ matches: true });
    expect(check()).toMatchObject({ verdict: 'holds', notes: [expect.stringMatching(/no signed head covers/)] });
  });
});
