import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { planAggregation, quorumNumbers } from '@coferment/consortium';
import type { AggregationParameters } from '@coferment/crypto';
import type { BenchOptions } from '../bench.options.js';
import { type BenchCase, measuredOnce } from '../case.choice.js';
import type { BenchReport, CaseReport } from '../report/report.schema.js';
import type { CoordinatorRole } from '../roles/coordinator.role.js';
import type { MemberRole } from '../roles/member.role.js';
import type { PrimitiveRole } from '../roles/primitive.role.js';
import { RoleProcess, killRoles } from '../roles/role.channel.js';
import { reportCase } from './case.report.js';
import { measureRound } from './round.measurement.js';
import { median, rounded } from './sample.statistics.js';

/** The committee of the per-block and dealing targets. */
const REFERENCE = { n: 16, m: 7 };
const BLOCK_RUNS = 15;
/** About one million parameters an upload: sixteen of them are more than any cache holds. */
const SUM_BLOCKS = 41;
const TLS_BYTES = 256 * 2 ** 20;
const TLS_RUNS = 3;
/** Four integers a coefficient, each of whole 32-bit words (secure-aggregation: smudging). */
const NOISE_ADDENDS = 4;

export interface Surroundings {
  options: BenchOptions;
  say: (line: string) => void;
  /** Gets the report after every case: until the last one, an unfinished report of the cases so far. */
  keep: (report: BenchReport) => void;
  /** Called on SIGINT and SIGTERM, when everything else is cleared away and before the process ends. */
  interrupted: () => void;
}

/** Everything of one run, in a temporary folder that is gone at the end. */
export async function runBench({ options, say, keep, interrupted }: Surroundings): Promise<void> {
  const started = performance.now();
  const loadAverageBefore = loadavg();
  mkdirSync(options.folder, { recursive: true });
  const folder = mkdtempSync(join(options.folder, 'coferment-bench-'));
  // Retried, because a role that was just killed may still have been adding files.
  const remove = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  const onSignal = (signal: NodeJS.Signals): void => {
    killRoles();
    remove();
    interrupted();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    say('one thread: blocks, dealing, sum, and what the machine can do');
    const primitives = await measurePrimitives(folder);
    const tlsMegabytesPerSecond = await measureTls(folder);
    const reportOf = (cases: CaseReport[]): BenchReport => ({
      format: 'coferment-bench/1',
      takenAt: new Date().toISOString(),
      extent: options.extent,
      seconds: rounded((performance.now() - started) / 1000),
      ...(cases.length < options.cases.length && {
        unfinished: { casesMeasured: cases.length, casesAsked: options.cases.length },
      }),
      machine: {
        cpu: cpus()[0]?.model.trim() ?? 'unknown',
        cores: availableParallelism(),
        node: process.versions.node,
        memoryMB: Math.round(totalmem() / 1e6),
        loadAverageBefore,
        loadAverageAfter: loadavg(),
      },
      ...primitives,
      bounds: { ...primitives.bounds, tlsMegabytesPerSecond },
      cases,
    });
    const cases: CaseReport[] = [];
    for (const [index, chosen] of options.cases.entries()) {
      say(`[${index + 1}/${options.cases.length}] ${describe(chosen)}`);
      cases.push(reportCase(chosen, await measureRound(chosen, { runs: options.runs, folder })));
      keep(reportOf(cases));
    }
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    remove();
  }
}

function describe(chosen: BenchCase): string {
  const { parameters, sites, keyHolders } = chosen;
  const once = measuredOnce(chosen) ? ', received and opened once' : '';
  return `${parameters.toLocaleString('en')} parameters × ${sites} sites × ${keyHolders} key holders${once}`;
}

async function measurePrimitives(folder: string) {
  const { threshold } = quorumNumbers(REFERENCE);
  const parameters = planAggregation({ sites: REFERENCE.n, keyHolders: REFERENCE.m, threshold });
  const role = new RoleProcess<PrimitiveRole>('single thread', './primitive.role.js');
  try {
    await role.call('load');
    const bounds = await role.call('bounds', { folder });
    const { values, expand, encrypt, share, combineAll, combineThreshold } = await role.call('blocks', {
      parameters,
      runs: BLOCK_RUNS,
    });
    const { deal, seal, check } = await role.call('dealing', { parameters, runs: BLOCK_RUNS });
    const sumOf = (of: AggregationParameters, blocks: number) =>
      role.call('sum', { parameters: of, blocks, folder: join(folder, 'sum'), runs: BLOCK_RUNS });
    const sum = await sumOf(parameters, SUM_BLOCKS);
    const hundredSites = await sumOf(
      planAggregation({ sites: 100, keyHolders: REFERENCE.m, threshold }),
      Math.ceil((SUM_BLOCKS * REFERENCE.n) / 100),
    );
    return {
      bounds,
      perBlock: {
        values,
        sites: REFERENCE.n,
        keyHolders: REFERENCE.m,
        threshold,
        encryptMs: encrypt.medianMs,
        shareMs: share.medianMs,
        combineMs: combineAll.medianMs,
        combineThresholdMs: combineThreshold.medianMs,
        expandMs: expand.medianMs,
        dealMsPerSite: rounded(deal.medianMs + seal.medianMs + REFERENCE.n * check.medianMs),
        dealMs: deal.medianMs,
        sealMs: seal.medianMs,
        checkMs: check.medianMs,
        noiseBytes: (values / parameters.digitsPerCoefficient) * NOISE_ADDENDS * Math.ceil(parameters.smudgingBits / 32) * 4,
        figures: { expand, encrypt, share, combineThreshold, combineAll, deal, seal, check },
      },
      sum: { ...sum, hundredSites },
    };
  } finally {
    await role.stop();
  }
}

async function measureTls(folder: string): Promise<number> {
  const coordinator = new RoleProcess<CoordinatorRole>('coordinator', './coordinator.role.js');
  const members = new RoleProcess<MemberRole>('members', './member.role.js');
  try {
    const { credentials } = await coordinator.call('start', { folder: join(folder, 'tls') });
    const rates: number[] = [];
    for (let run = -1; run < TLS_RUNS; run++) {
      const port = await coordinator.call('takeTls', { bytes: TLS_BYTES, credentials });
      const { ms } = await coordinator.whileAlive(members.call('pushTls', { port, bytes: TLS_BYTES, credentials }));
      if (run >= 0) rates.push(TLS_BYTES / 1e3 / ms);
    }
    return rounded(median(rates), 3);
  } finally {
    await Promise.all([coordinator.stop(), members.stop()]);
    rmSync(join(folder, 'tls'), { recursive: true, force: true });
  }
}
