import { randomBytes } from 'node:crypto';
import { importSite } from '../../client-agent/src/data/index.js';
import { parsePlan } from '@coferment/consortium';
import { buildDataset } from '@coferment/learning';
import { describe, expect, it } from 'vitest';
import { canaries, LARGE_SITE, plantedPlan, type PlantedRecords, SMALL_SITE, writePlantedRecords } from '../sovereignty/planted.records.js';
import { neighbourDistance, uniformityDistance } from '../sovereignty/uniformity.statistic.js';
import { temporaryFolder } from '../../client-agent/src/testing/temporary.folder.fixture.js';

describe('the records that sovereignty tests plant', () => {
  it.each<[string, PlantedRecords, number]>([
    ['small', SMALL_SITE, 40],
    ['large', LARGE_SITE, 4000],
  ])('of the %s site give their rows, with the planted values in them', async (site, records, rows) => {
    const folder = temporaryFolder('coferment-planted');
    const mappingFile = writePlantedRecords(folder, site, records);
    const { batches } = await importSite({ mappingFile, dataDir: folder });
    const { train, holdout } = buildDataset(parsePlan(plantedPlan(2)), batches);
    expect(train.rows + holdout.rows).toBe(rows);
    expect(holdout.rows).toBe(rows / 4);
    expect([...train.targets]).toContain(Math.fround(records.product));
    expect([...train.features]).toContain(Math.fround(records.temperature));
  });

  it('have canaries that are found in every form they are looked for', () => {
    const planted = canaries(SMALL_SITE);
    expect(planted.size).toBe(15);
    const { batchPrefix, temperature } = SMALL_SITE;
    const offsets = ['', 'x', 'xy'].map((before) => Buffer.from(`${before}${batchPrefix}007 and more`).toString('base64'));
    offsets.forEach((text, offset) => expect(text).toContain(planted.get(`batch id in base64, offset ${offset}`)!.toString()));
    const number = Buffer.from(Float64Array.of(1, temperature, 2).buffer);
    expect(number.includes(planted.get('temperature as float64 little-endian')!)).toBe(true);
  });
});

describe('the uniformity test', () => {
  it('accepts random bytes and refuses numbers, text, and bytes with a slight bias', () => {
    const random = randomBytes(65_536);
    expect(uniformityDistance(random)).toBeLessThan(6);
    expect(neighbourDistance(random)).toBeLessThan(6);
    const biased = random.map((byte, index) => (index % 10 === 0 ? byte & 0x7f : byte));
    expect(uniformityDistance(biased)).toBeGreaterThan(6);
    const floats = new Uint8Array(Float32Array.from({ length: 16_384 }, () => Math.random()).buffer);
    expect(uniformityDistance(floats)).toBeGreaterThan(100);
    expect(neighbourDistance(Uint8Array.from({ length: 65_536 }, (_, index) => index))).toBeGreaterThan(100);
  });
});
