import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseRoster } from '@coferment/consortium';
import { loadCrypto } from '@coferment/crypto';
import type { RunView } from '../../demo/src/run/run.view.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestConsortium, type TestSite } from '../e2e/test.consortium.js';
import { EpochSecrets } from '../../client-agent/src/keys/epoch.secrets.js';
import { copyFolder } from '../../client-agent/src/testing/folder.copy.fixture.js';
import { KeyStore } from '../../client-agent/src/keys/key.store.js';
import {
  FILLERS,
  filesWith,
  type Loot,
  openSum,
  openVictim,
  passphraseIn,
  piecesOf,
  readFrozenRound,
  stealBoxes,
  type Target,
} from './decryption.attempt.js';
import { canaries, LARGE_SITE, plantedPlan, type PlantedRecords, SMALL_SITE, writePlantedRecords } from './planted.records.js';
import { decode, loadDescriptors, readRecording, type RecordedMessage, REPOSITORY } from './recorded.message.js';
import { SecretTraces, withEnvironment } from './secret.traces.js';
import { neighbourDistance, uniformityDistance } from './uniformity.statistic.js';
import { unlisted } from './wire.allow-list.js';

/** Ids of equal length, so that sizes may be compared byte for byte. n = 5: c = 2, four of five key holders open a sum. */
const SITES: Readonly<Record<string, PlantedRecords>> = {
  'site-1': SMALL_SITE,
  'site-2': LARGE_SITE,
  'site-3': { ...SMALL_SITE, batches: 8, batchPrefix: 'OPALE-5D12-' },
  'site-4': { ...SMALL_SITE, batches: 6, batchPrefix: 'TOPAS-8A44-' },
  'site-5': { ...SMALL_SITE, batches: 5, batchPrefix: 'BERYL-1B07-' },
};
const ROUNDS = 2;
const VICTIM = 'site-1';
/** Bytes of an upload that are enough for a statistic of its own. */
const LOOKED_AT_ALONE = 4096;
const POLL = '/coferment.v1.PollingService/Poll';
const COSIGNING = '/coferment.v1.LedgerService/AddCosignature';
const WITNESSING: ReadonlySet<string> = new Set([
  COSIGNING,
  ...['AwaitCheckpoint', 'GetCheckpoint', 'GetConsistencyProof'].map((method) => `/coferment.v1.LedgerService/${method}`),
]);
const RECEIPT = '/coferment.v1.LedgerService/GetReceipt';
const QUESTIONS: ReadonlySet<string> = new Set([RECEIPT, '/coferment.v1.LedgerService/GetEntries']);
/** SHA-256 in hex, and the tag and length before it. */
const DIGEST_BYTES = 66;
/** Two varints with their tags. */
const MOST_POSITION_BYTES = 22;

const consortium = new TestConsortium();
const recordingFile = join(consortium.folders.out, 'recording.jsonl');
const stolen = join(consortium.folders.out, 'stolen');
const root = loadDescriptors();
const traces = new SecretTraces(consortium, stolen);
let run: RunView;
let messages: RecordedMessage[];

beforeAll(async () => {
  await loadCrypto();
  await withEnvironment(recorder(), () => consortium.start());
  const sites = Object.entries(SITES).map(([id, records]): TestSite => ({
    id,
    write: (folder) => writePlantedRecords(folder, id, records),
  }));
  await consortium.enrol(sites, 'own');
  const id = await consortium.launch(plantedPlan(ROUNDS));
  await traces.serve();
  run = await consortium.follow(id, {
    roundMoved: (round) => {
      // The keys of an epoch are erased with the run, so colluders take their copy while it goes on.
      if (round.kind !== 'update' || round.round !== 1 || round.state !== 'closed') return;
      copyFolder(consortium.folders.sites, stolen);
      traces.askForReports();
    },
  });
  await consortium.coordinator.exportLedger(consortium.folders.ledger);
  await traces.provoke();
  await consortium.stop();
  messages = readRecording(recordingFile);
}, 480_000);

afterAll(() => Promise.all([consortium.stop(), traces.stop()]));

/** The recorder is loaded by Node itself into the one process that is started meanwhile. */
function recorder(): Record<string, string> {
  const preload = pathToFileURL(join(REPOSITORY, 'test/sovereignty/recording.preload.js')).href;
  return { NODE_OPTIONS: `--import ${preload} ${traces.reportOptions}`, COFERMENT_TEST_RECORDING: recordingFile };
}

/** Everything one site sent, from joining on: a joiner has no certificate yet, but names itself. */
function from(site: string): RecordedMessage[] {
  return messages.filter((message) => {
    if (message.caller.startsWith(`site/${site}/`)) return true;
    if (message.caller !== 'stranger' || message.bytes === undefined) return false;
    return decode(root, message).fields['site'] === site;
  });
}

interface SentObject {
  readonly purpose: string;
  readonly bytes: Buffer;
}

/** Objects as they were uploaded, put together from their chunks. Streams of one site follow each other. */
function objectsOf(site: string): SentObject[] {
  const objects: { purpose: string; chunks: Buffer[] }[] = [];
  for (const message of from(site)) {
    if (!message.path.endsWith('/Upload') || message.bytes === undefined) continue;
    const { header, chunk } = decode(root, message).fields as { header?: { purpose: string }; chunk?: Buffer };
    if (header !== undefined) objects.push({ purpose: header.purpose, chunks: [] });
    else if (chunk !== undefined) objects.at(-1)?.chunks.push(chunk);
  }
  return objects.map(({ purpose, chunks }) => ({ purpose, bytes: Buffer.concat(chunks) }));
}

describe('a run of five real processes under a recorder', () => {
  it('completed with every site counted', () => {
    expect(consortium.failures).toEqual([]);
    expect(run.state).toBe('completed');
    const rounds = run.rounds.filter((round) => round.kind === 'update' && round.state === 'closed');
    expect(rounds.map((round) => round.counted)).toEqual(Array.from({ length: ROUNDS }, () => Object.keys(SITES)));
  });
});

describe('what the coordinator received from a site', () => {
  it.each(Object.keys(SITES))('is on the list, field by field: %s', (site) => {
    const received = from(site).filter((message) => message.bytes !== undefined);
    expect(received.length).toBeGreaterThan(30);
    const found = received.flatMap((message) => {
      const { type, fields } = decode(root, message);
      return unlisted(type, fields, message.metadata);
    });
    expect(found).toEqual([]);
  });

  it('has ciphertexts that look like random bytes', () => {
    const ciphertexts = Object.keys(SITES).flatMap((site) =>
      objectsOf(site).filter(({ purpose }) => purpose === 'OBJECT_PURPOSE_CIPHERTEXT'),
    );
    // Per site: confirmation, statistics, two rounds and the last evaluation.
    expect(ciphertexts).toHaveLength(Object.keys(SITES).length * (ROUNDS + 3));
    // An upload ends with up to seven zero bits, so its last byte is left out. Sums of few numbers are uploads of few bytes: they are looked at together
    // with the others, because the statistic wants five or more of every byte value.
    const bodies = ciphertexts.map(({ bytes }) => bytes.subarray(0, bytes.length - 1));
    const large = bodies.filter((bytes) => bytes.length >= LOOKED_AT_ALONE);
    expect(large.length).toBeGreaterThanOrEqual(Object.keys(SITES).length * ROUNDS);
    for (const bytes of [...large, Buffer.concat(bodies)]) {
      expect(uniformityDistance(bytes)).toBeLessThan(6);
      expect(neighbourDistance(bytes)).toBeLessThan(6);
    }
  });

  it.each([
    ['site-1', SMALL_SITE],
    ['site-2', LARGE_SITE],
  ])('holds nothing of what was planted in the records of %s', (site, records) => {
    const objects = objectsOf(site).map(({ bytes }) => bytes);
    const others = from(site)
      .filter((message) => !message.path.endsWith('/Upload'))
      .flatMap((message) => [message.bytes ?? Buffer.alloc(0), Buffer.from(JSON.stringify(message.metadata))]);
    const found = [...canaries(records)].filter(([, canary]) => {
      // Four bytes stand in megabytes of random ones once in about a thousand runs; twice they do not.
      const chance = canary.length === 4 ? 1 : 0;
      const inObjects = objects.reduce((total, bytes) => total + occurrences(bytes, canary), 0);
      return inObjects > chance || others.some((bytes) => bytes.includes(canary));
    });
    expect(found.map(([name]) => name)).toEqual([]);
  });

  it('is the same in number and size from 40 and from 4,000 rows', () => {
    // Polls are left out: how often a site polls depends on how long others take, and a poll says nothing but how far the site is. So are the calls of a witness,
    // and questions about the ledger: how many there are depends on when they are asked; what they may say has tests of its own.
    const sizes = (site: string): string[] =>
      from(site)
        .filter(
          (message) =>
            message.path !== POLL && !WITNESSING.has(message.path) && !QUESTIONS.has(message.path) && message.bytes !== undefined,
        )
        .map((message) => `${message.path} ${comparableSize(message)}`)
        .sort();
    expect(sizes('site-2')).toEqual(sizes('site-1'));
  });

  it('is, with a question about the ledger, one digest or two positions', () => {
    const asked = Object.keys(SITES).flatMap((site) => from(site).filter(({ path, bytes }) => QUESTIONS.has(path) && bytes !== undefined));
    expect(new Set(asked.map(({ path }) => path)).size).toBeGreaterThan(1);
    for (const { path, bytes } of asked) {
      const { length } = bytes!;
      if (path === RECEIPT) expect(length).toBe(DIGEST_BYTES);
      else expect(length).toBeLessThanOrEqual(MOST_POSITION_BYTES);
    }
  });

  it('is, with a cosignature, what the coordinator gave and one line of a length that nothing changes', () => {
    const additions = Object.keys(SITES).map((site) =>
      from(site)
        .filter(({ path, bytes }) => path === COSIGNING && bytes !== undefined)
        .map((message) => {
          const lines = String(decode(root, message).fields['checkpoint']).split('\n');
          return lines.at(-2)!.length - `${lines[0]!}/${site}`.length;
        }),
    );
    for (const lengths of additions) expect(lengths.length).toBeGreaterThan(3);
    expect(new Set(additions.flat()).size).toBe(1);
  });
});

/** A certificate request holds an ECDSA signature in DER, whose length is chance. */
function comparableSize(message: RecordedMessage): number {
  const request = decode(root, message).fields['certificate_request'];
  return (message.bytes?.length ?? 0) - (Buffer.isBuffer(request) ? request.length : 0);
}

function occurrences(bytes: Buffer, pattern: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(pattern); at !== -1; at = bytes.indexOf(pattern, at + 1)) count++;
  return count;
}

describe('the coordinator together with sites that help it', () => {
  const loot = (...helpers: string[]): Loot => ({
    objects: join(consortium.folders.coordinator, 'objects'),
    payloads: join(consortium.folders.ledger, 'payloads'),
    colluders: helpers.map((site) => ({ site, folder: join(stolen, site), passphraseFile: consortium.passphraseFile(site) })),
  });
  const target = (): Target => {
    const objects = join(consortium.folders.coordinator, 'objects');
    const roster = readdirSync(objects, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(objects, entry.name)))
      .filter((bytes) => bytes.length < 100_000 && bytes.includes('"sealingKeys"'))
      .map((bytes) => parseRoster(bytes))[0]!;
    return { victim: VICTIM, run: run.run, round: 1, roster, parameters: roster.parameters };
  };

  it('opens the sum of everybody, as it should', () => {
    const round = readFrozenRound(loot(), target());
    const opened = openSum(target(), round);
    expect(opened.ok).toBe(true);
    if (opened.ok) expect(Buffer.from(opened.coefficients.buffer).equals(round.sumObject)).toBe(true);
  });

  it.each(Object.keys(FILLERS))('does not open one update with c = 2 helpers and %s', (filler) => {
    const helpers = loot('site-2', 'site-4');
    expect(run.collusionBound).toBe(helpers.colluders.length);
    const round = readFrozenRound(helpers, target());
    expect(openVictim(helpers, target(), round, FILLERS[filler]!).ok).toBe(false);
  });

  it('does not open the boxes that the victim sealed for others', () => {
    const outcome = stealBoxes(loot('site-2', 'site-4'), target(), 1);
    expect(outcome.tried).toBe(6);
    expect(outcome.opened).toBe(0);
  });

  it('does not find the key or the vector of the victim lying about', () => {
    const own = new EpochSecrets(KeyStore.open(join(stolen, VICTIM, 'keys'), passphraseIn(consortium.passphraseFile(VICTIM))), run.run, 1);
    const everybody = loot('site-2', 'site-3', 'site-4', 'site-5');
    const vector = openVictim(everybody, target(), readFrozenRound(everybody, target()), FILLERS['shares of zeros']!);
    if (!vector.ok) throw new Error('the vector of the victim is needed to look for it');
    const pieces = [...piecesOf(own.secretKey()), Buffer.from(vector.coefficients.buffer, 0, 64)];
    // Not even at home: there both are sealed under the site's own passphrase.
    const within = [consortium.folders.coordinator, ...['site-2', 'site-4', VICTIM].map((site) => join(stolen, site))];
    expect(within.flatMap((folder) => filesWith(folder, pieces))).toEqual([]);
    // The search finds what it looks for where it is.
    const planted = join(consortium.folders.out, 'planted');
    mkdirSync(planted);
    writeFileSync(join(planted, 'vector'), Buffer.concat([Buffer.alloc(100), Buffer.from(vector.coefficients.buffer)]));
    expect(filesWith(planted, pieces)).toHaveLength(1);
  });

  it('would open it with as many helpers as the threshold: the attempt above is the real attack', () => {
    const helpers = loot('site-2', 'site-3', 'site-4', 'site-5');
    const round = readFrozenRound(helpers, target());
    expect(openVictim(helpers, target(), round, FILLERS['shares of zeros']!).ok).toBe(true);
  });
});

describe('the secrets of the run', () => {
  it('are all known to this test: every passphrase, every private key, every share', () => {
    const { secrets } = traces;
    const lasting = ['passphrase of', 'store key of', 'identity of', 'training seed of', 'TLS key of', 'invite of', 'password of'];
    const ofEpochs = ['/sealing of', '/secret of', '/noise of', '/share/'];
    const kinds = [...lasting, ...ofEpochs, 'key of the authority', "operator's signing", "log's signing"];
    for (const kind of kinds) expect([kind, secrets.some(({ name }) => name.includes(kind))]).toEqual([kind, true]);
    expect(secrets.length).toBeGreaterThan(80);
  });

  it('would be found in any spelling: each is planted once', () => {
    expect(traces.missedWhenPlanted()).toEqual([]);
  });

  it('stand in no file, log, journal, export, answer, error message or crash report that the run has made', () => {
    // But the one that is put there now, to show that the files are looked at.
    const planted = traces.plant();
    expect(traces.inFiles()).toEqual([planted]);
  });

  it('stand in no process arguments or environment but the password of the proxy, which IT departments set there', () => {
    expect(traces.argumentsSeen).toBeGreaterThan(10);
    expect(traces.inProcesses()).toEqual([]);
  });

  it('stand in no message that the coordinator received but the secret of an invite, which is meant for it', () => {
    expect(traces.inMessages(messages.flatMap(({ bytes }) => (bytes === undefined ? [] : [bytes])))).toEqual([]);
  });

  it('were near all of these: reports were written, commands failed, the proxy was used', () => {
    expect(traces.reports()).toHaveLength(2);
    for (const report of traces.reports()) expect(JSON.parse(readFileSync(report, 'utf8'))).not.toHaveProperty('environmentVariables');
    expect(traces.failures).toBeGreaterThanOrEqual(8);
    expect(traces.tunnels).toBeGreaterThan(0);
  });
});
