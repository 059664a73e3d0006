import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  canonicalBytes,
  describeModel,
  initialModel,
  modelBytes,
  modelDigest,
  type Normalisation,
  normalisationDigest,
  parsePlan,
  planBytes,
  planDigest,
  type Predicate,
  type PredicateName,
  runId,
  signStatement,
} from '@coferment/consortium';
import { generateIdentity, type Identity, loadCrypto, sha256Hex } from '@coferment/crypto';
import { entryFor } from '@coferment/ledger';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LoggedEntry } from '../connection/coordinator.port.js';
import { downloadModel, type ModelPort } from './model.download.js';
import { readModelFile, writeModelFile } from './model.file.js';
import { readReleases, type Release } from './release.ledger.js';

beforeAll(loadCrypto);
const CONSORTIUM = 'acme';
const D = 'd'.repeat(64);
const plan = parsePlan({
  schema: 1,
  plan: 'released',
  sample: { of: ['temperature'], summarise: ['last'] },
  target: { variable: 'product_concentration' },
  model: { kind: 'linear' },
});
const values = initialModel(plan, 1, ['a', 'b', 'c']);
const model = modelDigest(describeModel(plan), values);
const normalisation: Normalisation = { count: 30, mean: [30.25], std: [0.1 + 0.2], targetMean: 4, targetStd: 2 };
const run = runId(planDigest(plan), 1);
const inRun = { consortium: CONSORTIUM, run };

/** A coordinator with a ledger of a released run, which a test may change. */
class Board implements ModelPort {
  readonly operator = generateIdentity();
  readonly ledger: LoggedEntry[] = [];
  readonly objects = new Map([
    [planDigest(plan), planBytes(plan)],
    [sha256Hex(modelBytes(values)), modelBytes(values)],
  ]);
  described = { round: 3, object: sha256Hex(modelBytes(values)), normalisation: Buffer.from(canonicalBytes(normalisation)).toString() };

  record<N extends PredicateName>(name: N, predicate: Predicate<N>, by: Identity = this.operator): this {
    const envelope = signStatement(name, predicate, by);
    this.ledger.push({
      index: this.ledger.length,
      entry: entryFor(envelope, by.publicKey),
      payload: Buffer.from(envelope.payload, 'base64'),
    });
    return this;
  }

  /** Up to the last evaluation, not released. */
  trained(): this {
    this.record('plan-published', { consortium: CONSORTIUM, plan: planDigest(plan), name: 'Titre' });
    this.record('run-opened', { ...inRun, plan: planDigest(plan), ordinal: 1, sites: ['a', 'b', 'c'] });
    const nonces = ['a', 'b', 'c'].map((site) => ({ site, nonce: D }));
    const frozen = {
      e: D,
      kind: 'evaluate' as const,
      sum: 7,
      epoch: 1,
      round: 3,
      attempt: 1,
      i: D,
      modelIn: model,
      ranges: D,
      weightRule: 'samples',
    };
    return this.record('round-frozen', {
      ...inRun,
      ...frozen,
      normalisation: normalisationDigest(normalisation),
      nonces,
      k: D,
      t: D,
      counted: [],
      excluded: [],
    });
  }

  released(by?: Identity, digest = model, consortium = CONSORTIUM): this {
    return this.record('model-released', { consortium, run, model: digest, parameters: values.length }, by);
  }

  download = (digest: string) => {
    const bytes = this.objects.get(digest);
    return bytes === undefined ? Promise.reject(new Error(`no object ${digest}`)) : Promise.resolve(bytes);
  };
  describeModel = () => Promise.resolve(this.described);
  ledgerEntries = (start: number, limit: number) => Promise.resolve(this.ledger.slice(start, start + limit));

  releases(): Promise<Release[]> {
    return readReleases({ consortium: CONSORTIUM, operatorKey: this.operator.publicKey, port: this, progress: () => undefined });
  }
}

const take = async (board: Board) => downloadModel(board, (await board.releases())[0]!);

describe('a released model', () => {
  it('is found in the ledger, however long that is, and taken with what belongs to it', async () => {
    const board = new Board();
    for (let index = 0; index < 150; index++) board.record('plan-published', { consortium: CONSORTIUM, plan: D, name: `other ${index}` });
    board.trained().released();
    expect(await board.releases()).toEqual([
      {
        run,
        ordinal: 1,
        plan: planDigest(plan),
        planName: 'Titre',
        sites: ['a', 'b', 'c'],
        model,
        parameters: values.length,
        normalisation: normalisationDigest(normalisation),
      },
    ]);
    expect(await take(board)).toEqual({ run, plan, digest: model, round: 3, values, normalisation });
  });

  it.each<[string, (board: Board) => unknown]>([
    ['that nobody has signed', (board) => board],
    ['that another than the operator has signed', (board) => board.released(generateIdentity())],
    ['of another consortium', (board) => board.released(board.operator, model, 'other')],
    [
      'whose signature was changed',
      (board) => {
        board.released();
        const last = board.ledger.at(-1)!;
        const changed = Buffer.from(last.payload);
        changed[changed.indexOf(model)]! ^= 1;
        board.ledger[last.index] = { ...last, payload: changed };
      },
    ],
  ])('is none for a release %s', async (_, change) => {
    const board = new Board().trained();
    change(board);
    expect(await board.releases()).toEqual([]);
  });

  it('is not looked for in a ledger whose pages are others than were asked for', async () => {
    const board = new Board().trained().released();
    board.ledgerEntries = () => Promise.resolve([{ ...board.ledger[0]!, index: 5 }]);
    await expect(board.releases()).rejects.toMatchObject({ code: 'malformed-response' });
  });

  it.each<[string, (board: Board) => unknown, string]>([
    ['that the coordinator does not have for this site', (board) => (board.described.object = ''), 'no-model'],
    [
      'with other values',
      (board) => {
        const other = modelBytes(values.map((value) => Math.fround(value + 1)));
        board.objects.set(sha256Hex(other), other);
        board.described.object = sha256Hex(other);
      },
      'model-mismatch',
    ],
    [
      'with too many values',
      (board) => {
        const longer = new Uint8Array(values.length * 8 + 8);
        board.objects.set(sha256Hex(longer), longer);
        board.described.object = sha256Hex(longer);
      },
      'wrong-length',
    ],
    [
      'with another normalisation',
      (board) => (board.described.normalisation = JSON.stringify({ ...normalisation, targetMean: 5 })),
      'model-mismatch',
    ],
    [
      'with a normalisation of other inputs',
      (board) => (board.described.normalisation = JSON.stringify({ ...normalisation, mean: [1, 2] })),
      'model-mismatch',
    ],
    ['with a normalisation that is none', (board) => (board.described.normalisation = '{'), 'model-mismatch'],
  ])('%s is refused', async (_, change, code) => {
    const board = new Board().trained().released();
    change(board);
    await expect(take(board)).rejects.toMatchObject({ code });
  });

  it('is refused when the run was never frozen for its evaluation', async () => {
    const board = new Board();
    board.record('run-opened', { ...inRun, plan: planDigest(plan), ordinal: 1, sites: ['a', 'b', 'c'] }).released();
    await expect(take(board)).rejects.toMatchObject({ code: 'model-mismatch' });
  });
});

describe('a model file', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'model-'));
    path = writeModelFile(folder, { run, plan, digest: model, round: 3, values, normalisation });
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const change = (text: (content: string) => string) => writeFileSync(path, text(readFileSync(path, 'utf8')));

  it('comes back as it was written', () => {
    expect(readModelFile(path)).toEqual({ run, plan, digest: model, round: 3, values, normalisation });
  });

  it.each<[string, (content: string) => string, string]>([
    ['that is cut off', (text) => text.slice(0, -20), 'missing-file'],
    ['of a later schema', (text) => text.replace('"schema":1,"values"', '"schema":2,"values"'), 'model-malformed'],
    ['with a field too many', (text) => text.replace('{', '{"extra":1,'), 'model-malformed'],
    ['with fewer means than inputs', (text) => text.replace('"mean":[30.25]', '"mean":[]'), 'model-malformed'],
    ['of another model', (text) => text.replace(model, D), 'model-mismatch'],
    ['of values too few', (text) => text.replace(/"values":"[^"]*"/, '"values":"AAAA"'), 'wrong-length'],
  ])('%s is refused', (_, text, code) => {
    change(text);
    expect(() => readModelFile(path)).toThrow(expect.objectContaining({ code }));
  });

  it('that is not there is refused, with how to get it', () => {
    expect(() => readModelFile(join(folder, 'none.json'))).toThrow(/coferment-agent models download RUN/);
  });
});
