import { createHash } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type AggregationParameters,
  type BlockSpan,
  checkDealing,
  blockTotal,
  ciphertextAccumulator,
  ciphertextBlockSpan,
  combine,
  deal,
  decryptionShare,
  digest,
  encryptVector,
  generateSealingKey,
  loadCrypto,
  packVector,
  parameterSet,
  sealedDealingShare,
  sumCiphertexts,
  sumKeyShares,
  unpackSum,
  xof,
} from '@coferment/crypto';
import { publicElement } from '../../../../crypto/dist/sampling/uniform.sampler.js';
import { type Figure, type Sample, TurnClock, figureOf, median, rounded, timed } from '../measure/sample.statistics.js';
import { type HardwareBounds, measureBounds } from './hardware.bounds.js';
import { serveRole } from './role.channel.js';

/** A vector of whole blocks, so that what is done once per vector is shared as it is in use. */
const BLOCKS = 4;

export interface BlockFigures {
  /** Values in a whole block. */
  values: number;
  expand: Figure;
  encrypt: Figure;
  share: Figure;
  combineThreshold: Figure;
  combineAll: Figure;
}

export interface DealFigures {
  deal: Figure;
  seal: Figure;
  check: Figure;
}

async function figure(runs: number, work: () => unknown, perRun = 1): Promise<Figure> {
  await timed(work);
  const samples: Sample[] = [];
  for (let run = 0; run < runs; run++) {
    const { sample } = await timed(work);
    samples.push({ ms: sample.ms / perRun, cpuMs: sample.cpuMs / perRun });
    // A role whose bench is gone ends at the next turn.
    await nextTurn();
  }
  return figureOf(samples);
}

const K = digest('bench-k');
const SET_DIGEST = digest('bench-set');
const E0 = digest('bench-epoch');

function committeeOf(parameters: AggregationParameters) {
  const dealing = deal({ e0: E0, dealer: 'site-0', parameters });
  const { commitments, masked, privateShares } = dealing;
  const keyShares = privateShares.map((privateShare, holderIndex) =>
    checkDealing({ e0: E0, dealer: 'site-0', holderIndex, parameters, commitments, masked, privateShare }),
  );
  return { dealing, keyShares };
}

type SumStep = 'read' | 'hash' | 'add' | 'reduce';

interface SumWork {
  files: readonly string[];
  spans: readonly BlockSpan[];
  parameters: AggregationParameters;
}

/** Block after block of all files, so that memory does not grow with the files: read, hashed, added, and reduced once. */
function sumFiles({ files, spans, parameters }: SumWork, time: <T>(step: SumStep, work: () => T) => T): void {
  const opened = files.map((file) => openSync(file, 'r'));
  const bytes = Buffer.allocUnsafeSlow(Math.max(...spans.map(({ length }) => length)));
  // As in the coordinator: memory of a block is used for one block after the other.
  const coefficients = spans[0]!.coefficients;
  const accumulator = ciphertextAccumulator(coefficients, parameters);
  const total = blockTotal(coefficients);
  try {
    for (const { offset, length } of spans) {
      accumulator.clear();
      const block = bytes.subarray(0, length);
      for (const file of opened) {
        time('read', () => readSync(file, block, 0, length, offset));
        time('hash', () => createHash('sha256').update(block).digest());
        time('add', () => accumulator.add(block));
      }
      time('reduce', () => accumulator.total(total));
    }
  } finally {
    for (const file of opened) closeSync(file);
  }
}

/** Where the time of a sum goes: medians of several sums of their own, because looking at the clock costs time too. */
function partsOf(work: SumWork): Record<`${SumStep}Ms`, number> {
  const clocks = Array.from({ length: 5 }, () => {
    const clock = new TurnClock<SumStep>();
    sumFiles(work, (step, part) => clock.time(step, part));
    return clock;
  });
  const of = (step: SumStep): number => rounded(median(clocks.map((clock) => clock.spent(step).ms)));
  return { readMs: of('read'), hashMs: of('hash'), addMs: of('add'), reduceMs: of('reduce') };
}

const handlers = {
  load: (): Promise<void> => loadCrypto(),

  bounds: ({ folder }: { folder: string }): HardwareBounds => measureBounds(folder),

  /** Milliseconds a block of site, holder and coordinator, all on this one thread. */
  async blocks({ parameters, runs }: { parameters: AggregationParameters; runs: number }): Promise<BlockFigures> {
    const set = parameterSet(parameters.set);
    const { sites, digitsPerCoefficient, threshold, valueBits } = parameters;
    const values = set.degree * digitsPerCoefficient;
    const count = BLOCKS * set.degree;
    // The last coefficient of a vector is its check.
    const shape = { packed: (count - 1) * digitsPerCoefficient, exact: 0 };
    const packed = Uint32Array.from({ length: shape.packed }, (_, i) => (i * 2_654_435_761) % 2 ** valueBits);
    const { dealing, keyShares } = committeeOf(parameters);
    const { secretKey } = dealing;
    const encrypted = (k: string) => encryptVector({ parameters, k, secretKey, coefficients: packVector(shape, parameters, packed, []) });
    let attempt = 0;
    const encrypt = await figure(runs, () => encrypted(digest('bench-k', attempt++)), BLOCKS);
    const expand = await figure(runs, () => publicElement(digest('bench-k', attempt++), 0, set));
    const shareOf = (position: number) =>
      decryptionShare({
        parameters,
        k: K,
        setDigest: SET_DIGEST,
        kind: 'update',
        holder: `site-${position}`,
        holderIndex: position,
        keyShareSum: sumKeyShares(Array.from({ length: sites }, () => keyShares[position]!)),
        noiseKey: xof('bench-noise', position).read(32),
        coefficients: count,
      });
    const share = await figure(runs, () => shareOf(0), BLOCKS);
    const upload = encrypted(K);
    const sum = sumCiphertexts(
      Array.from({ length: sites }, () => upload),
      count,
      parameters,
    );
    const shares = keyShares.map((_, position) => shareOf(position));
    const open = (of: Uint8Array[]) => {
      const opened = combine({ parameters, sum, coefficients: count, addends: sites, shares: new Map(of.entries()) });
      if (!opened.ok) throw new Error(`The sum did not open: ${opened.reason}.`);
      return unpackSum(shape, parameters, opened.coefficients, sites).packed;
    };
    if (open(shares).some((value, i) => value !== sites * packed[i]!)) throw new Error('The sum opened to something else.');
    const combineThreshold = await figure(runs, () => open(shares.slice(0, threshold)), BLOCKS);
    const combineAll = await figure(runs, () => open(shares), BLOCKS);
    return { values, expand, encrypt, share, combineThreshold, combineAll };
  },

  /** One site's dealing with its proof: drawn and sealed to all holders; and what a holder does to check it. */
  async dealing({ parameters, runs }: { parameters: AggregationParameters; runs: number }): Promise<DealFigures> {
    const holders = Array.from({ length: parameters.keyHolders }, generateSealingKey);
    const own = generateSealingKey();
    const { dealing } = committeeOf(parameters);
    const { commitments, masked, privateShares } = dealing;
    return {
      deal: await figure(runs, () => deal({ e0: E0, dealer: 'site-0', parameters })),
      seal: await figure(runs, () =>
        holders.map(({ publicKey }, position) =>
          sealedDealingShare({ e0: E0, dealer: 'site-0', holder: `site-${position}` }, privateShares[position]!, publicKey, own),
        ),
      ),
      check: await figure(runs, () =>
        checkDealing({ e0: E0, dealer: 'site-0', holderIndex: 0, parameters, commitments, masked, privateShare: privateShares[0]! }),
      ),
    };
  },

  /** Files of uploads, read, hashed block by block and added: megabytes of uploads a second. */
  async sum({ parameters, blocks, folder, runs }: { parameters: AggregationParameters; blocks: number; folder: string; runs: number }) {
    const set = parameterSet(parameters.set);
    const coefficients = blocks * set.degree;
    const { secretKey } = deal({ e0: E0, dealer: 'site-0', parameters });
    const upload = encryptVector({ parameters, k: K, secretKey, coefficients: new BigUint64Array(coefficients) });
    mkdirSync(folder, { recursive: true });
    const files = Array.from({ length: parameters.sites }, (_, site) => join(folder, `upload-${site}`));
    for (const file of files) writeFileSync(file, upload);
    const bytes = upload.length * files.length;
    const rate = ({ medianMs, minMs, maxMs }: Figure) => ({
      megabytesPerSecond: rounded(bytes / 1e3 / medianMs),
      lowest: rounded(bytes / 1e3 / maxMs),
      highest: rounded(bytes / 1e3 / minMs),
    });
    try {
      const spans = Array.from({ length: blocks }, (_, block) => ciphertextBlockSpan(block, coefficients, parameters));
      const work = { files, spans, parameters };
      const whole = rate(await figure(runs, () => sumFiles(work, (_, part) => part())));
      return { ...whole, uploads: files.length, uploadBytes: upload.length, keptBits: parameters.keptBits, parts: partsOf(work) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

export type PrimitiveRole = typeof handlers;

serveRole(handlers);
