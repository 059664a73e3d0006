import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { planAggregation, quorumNumbers } from '@coferment/consortium';
import { type AggregationParameters, type VectorShape, blockCount } from '@coferment/crypto';
import { type BenchCase, distinctSites, measuredOnce } from '../case.choice.js';
import type { CoordinatorRole } from '../roles/coordinator.role.js';
import type { MemberRole, Sent } from '../roles/member.role.js';
import { RoleProcess } from '../roles/role.channel.js';
import { type Figure, type Sample, figureOf, median, rounded } from './sample.statistics.js';
import { statementBytes } from './statement.bytes.js';

/** Behind the update travel its weight, two metric sums and the training loss. */
const EXACT_VALUES = 4;

export interface RoundPlan {
  parameters: AggregationParameters;
  shape: VectorShape;
  blocks: number;
  distinct: number;
}

export function planRound({ parameters: values, sites, keyHolders }: BenchCase): RoundPlan {
  const { threshold } = quorumNumbers({ n: sites, m: keyHolders });
  const parameters = planAggregation({ sites, keyHolders, threshold });
  const shape = { packed: values, exact: EXACT_VALUES };
  const blocks = blockCount(shape, parameters);
  return { parameters, shape, blocks, distinct: distinctSites(sites, blocks) };
}

const PHASES = [
  'expand',
  'encrypt',
  'encryptInPool',
  'loneUpload',
  'uploads',
  'sum',
  'share',
  'shareInPool',
  'loneShareUpload',
  'shareUploads',
  'combine',
  'openInPool',
  'publish',
] as const;
const PLAINTEXT_PHASES = ['loneUpload', 'uploads', 'sum', 'publish'] as const;

type Samples<Name extends string> = Record<Name, Sample[]>;

const noSamples = <Name extends string>(names: readonly Name[]): Samples<Name> =>
  Object.fromEntries(names.map((name) => [name, [] as Sample[]])) as Samples<Name>;

/** One coordinator process with its object store, and what it has used. */
class Coordinator {
  readonly role: RoleProcess<CoordinatorRole>;
  readonly #folder: string;
  /** Processor time of receiving, by kind of object: the sender sees only its own. */
  readonly receivingCpuMs = new Map<Sent, number[]>();
  readonly receivedBytes = new Map<Sent, number[]>();

  constructor(
    readonly name: string,
    folder: string,
  ) {
    this.#folder = mkdtempSync(join(folder, `${name}-`));
    this.role = new RoleProcess<CoordinatorRole>(`${name} coordinator`, './coordinator.role.js');
  }

  start() {
    return this.role.call('start', { folder: this.#folder });
  }

  fileOf(object: string): string {
    return join(this.#folder, 'objects', object);
  }

  /** `count` members send; what the coordinator spent on it is kept beside. */
  async receive(members: RoleProcess<MemberRole>, kind: Sent, count: number): Promise<Sample> {
    const [cpu, bytes] = [await this.role.call('cpuMs'), await this.role.call('receivedBytes')];
    const sample = await this.role.whileAlive(members.call('send', { to: this.name, kind, count }));
    note(this.receivingCpuMs, kind, (await this.role.call('cpuMs')) - cpu);
    if (count === 1) note(this.receivedBytes, kind, (await this.role.call('receivedBytes')) - bytes);
    return sample;
  }

  async stop(): Promise<void> {
    await this.role.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function note(into: Map<Sent, number[]>, kind: Sent, value: number): void {
  into.set(kind, [...(into.get(kind) ?? []), value]);
}

export type CaseResult = Awaited<ReturnType<typeof measureRound>>;

/**
 * One encrypted and one plaintext round of the same size, each step by itself: while one party works, the others wait. The last step checks that the
 * published sum is exactly the sum of what was encrypted.
 */
export async function measureRound(chosen: BenchCase, { runs: asked, folder }: { runs: number; folder: string }) {
  const isOnce = measuredOnce(chosen);
  const runs = isOnce ? 1 : asked;
  // Members warm up in every case, because it costs them seconds; where receiving and opening take minutes, their first run is the one that counts.
  const firstRun = isOnce ? 0 : -1;
  const plan = planRound(chosen);
  const { parameters, shape, distinct } = plan;
  const { sites, keyHolders } = chosen;
  const encrypted = new Coordinator('encrypted', folder);
  const plaintext = new Coordinator('plaintext', folder);
  const members = new RoleProcess<MemberRole>('members', './member.role.js');
  try {
    await members.call('load');
    const phases = noSamples(PHASES);
    const plain = noSamples(PLAINTEXT_PHASES);
    await members.call('setUp', { parameters, shape, sites, distinct });
    await members.call('drawPlaintext');

    // Attempt 0 warms up. Every one has a round context of its own but the last `distinct`, which make up the list that is summed.
    const encryptions = Math.max(runs, distinct);
    for (let turn = -1; turn < encryptions; turn++) {
      const index = Math.max(0, turn - (encryptions - distinct));
      const attempt = Math.min(turn + 1, encryptions - distinct + 1);
      const sample = await members.call('encrypt', { index, attempt });
      if (turn >= 0) phases.encrypt.push(sample);
    }
    for (let run = -1; run < runs; run++) {
      const attempt = encryptions + 1 + run;
      const sample = await members.call('expand', { attempt });
      const pooled = await members.call('encryptInPool', { attempt });
      if (run < 0) continue;
      phases.expand.push(sample);
      phases.encryptInPool.push(pooled);
    }
    for (let turn = -1; turn < Math.max(runs, keyHolders); turn++) {
      const position = Math.max(0, turn) % keyHolders;
      const sample = await members.call('share', { position });
      if (turn >= 0) phases.share.push(sample);
      if (turn >= runs) continue;
      const pooled = await members.call('shareInPool', { position });
      if (turn >= 0) phases.shareInPool.push(pooled);
    }

    for (const coordinator of [encrypted, plaintext]) {
      const { address, credentials } = await coordinator.start();
      await coordinator.role.call('expect', { parameters, shape });
      await coordinator.role.whileAlive(members.call('connect', { to: coordinator.name, address, credentials, sites }));
    }
    const idle = await encrypted.role.call('idleMemory');
    const uploads = await members.call('signed', { kind: 'ciphertext' });
    const shares = await members.call('signed', { kind: 'share' });
    const updates = await members.call('signed', { kind: 'plaintext' });
    const peaks = { receiving: 0, summing: 0, opening: 0, whole: 0 };
    let sumObject = '';
    let sumBytes = 0;
    for (let run = firstRun; run < runs; run++) {
      const received = {
        loneUpload: await encrypted.receive(members, 'ciphertext', 1),
        uploads: await encrypted.receive(members, 'ciphertext', sites),
        loneShareUpload: await encrypted.receive(members, 'share', 1),
        shareUploads: await encrypted.receive(members, 'share', keyHolders),
      };
      const receivingPeak = await encrypted.role.call('restartPeakMemory');
      const opened = await encrypted.role.call('open', { parameters, shape, uploads, shares });
      // Before the first opening there are no worker threads: what receiving takes by itself.
      if (run === firstRun) peaks.receiving = receivingPeak;
      peaks.whole = Math.max(peaks.whole, receivingPeak);
      peaks.summing = Math.max(peaks.summing, opened.summingPeak);
      peaks.opening = Math.max(peaks.opening, await encrypted.role.call('restartPeakMemory'));
      const once = { ...received, ...opened };
      ({ sumObject, sumBytes } = once);
      const onceInPlain = {
        loneUpload: await plaintext.receive(members, 'plaintext', 1),
        uploads: await plaintext.receive(members, 'plaintext', sites),
        ...(await plaintext.role.call('openPlaintext', { uploads: updates })),
      };
      if (run < 0) continue;
      phases.openInPool.push(once.open);
      for (const name of ['loneUpload', 'uploads', 'loneShareUpload', 'shareUploads', 'publish'] as const) phases[name].push(once[name]);
      for (const name of PLAINTEXT_PHASES) plain[name].push(onceInPlain[name]);
    }
    for (let run = firstRun; run < runs; run++) {
      const { sum, combine } = await encrypted.role.call('openOnOneThread', { parameters, shape, uploads, shares });
      if (run < 0) continue;
      phases.sum.push(sum);
      phases.combine.push(combine);
    }
    await members.call('verify', { sumFile: encrypted.fileOf(sumObject) });

    const wire = {
      upload: median(encrypted.receivedBytes.get('ciphertext')!) + statementBytes('contribution'),
      share: median(encrypted.receivedBytes.get('share')!) + statementBytes('share'),
      plaintext: median(plaintext.receivedBytes.get('plaintext')!) + statementBytes('contribution'),
      sum: sumBytes,
    };
    return {
      plan,
      phases: figuresOf(phases),
      plaintextPhases: figuresOf(plain),
      wire,
      receivingCpuMs: {
        uploads: cpuOfAll(encrypted, 'ciphertext', runs),
        shares: cpuOfAll(encrypted, 'share', runs),
        plaintext: cpuOfAll(plaintext, 'plaintext', runs),
      },
      memory: {
        idle: rounded(idle),
        receivingPeak: rounded(peaks.receiving),
        summingPeak: rounded(peaks.summing),
        openingPeak: rounded(peaks.opening),
        peak: rounded(Math.max(peaks.whole, peaks.opening)),
      },
      runs,
      isOnce,
    };
  } finally {
    await Promise.all([members.stop(), encrypted.stop(), plaintext.stop()]);
  }
}

/** Of the receipts from everybody, which follow each lone one, in the runs that count: the last ones. */
function cpuOfAll(coordinator: Coordinator, kind: Sent, runs: number): number {
  const all = coordinator.receivingCpuMs.get(kind)!.filter((_, index) => index % 2 === 1);
  return median(all.slice(-runs));
}

function figuresOf<Name extends string>(samples: Samples<Name>): Record<Name, Figure> {
  return Object.fromEntries(Object.entries<Sample[]>(samples).map(([name, of]) => [name, figureOf(of)])) as Record<Name, Figure>;
}
