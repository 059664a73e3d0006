import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CryptoPool, hexToBytes, loadCrypto, type StoreSecret } from '@coferment/crypto';
import type { BackendName } from '@coferment/learning';
import { parseVkey } from '@coferment/ledger';
import { describeFailure } from '../agent.error.js';
import { probe } from '../connection/connection.probe.js';
import type { Finding } from '../connection/finding.js';
import { ObjectCache } from '../connection/object.cache.js';
import { SentRecorder } from '../connection/sent.recorder.js';
import { WireClient } from '../connection/wire.client.js';
import { requireTakesPart } from '../enrolment/departure.file.js';
import { EnrolmentClient } from '../enrolment/enrolment.client.js';
import { type Membership, readMembership } from '../enrolment/membership.file.js';
import { CertificateKeeper } from '../enrolment/certificate.keeper.js';
import { endpointOf } from '../enrolment/renewal.flow.js';
import { lockFolder } from '../journal/folder.lock.js';
import { Journal } from '../journal/journal.js';
import { noteMembership } from '../journal/membership.entries.js';
import { RecordedPolicy, requireRules } from '../journal/policy.entries.js';
import { KeyStore } from '../keys/key.store.js';
import { requirePrivate } from '../keys/private.file.js';
import { ReceiptKeeper } from '../receipts/receipt.keeper.js';
import { openSiteIdentity, readTlsCredential, requireIdentity } from '../keys/site.identity.js';
import { type PolicyInForce, settledPolicy } from '../policy/policy.file.js';
import { softwareName } from '../software.version.js';
import { type LogLevel, type LogPlace, openAgentLog } from '../telemetry/agent.log.js';
import { type MonitorInput, monitorAddress } from '../telemetry/agent.monitor.js';
import { AgentMonitoring } from '../telemetry/agent.monitoring.js';
import { SiteTrainer } from '../training/site.trainer.js';
import { WitnessLoop } from '../witness/witness.loop.js';
import { storageFaultOf } from '../storage/storage.fault.js';
import { SiteStorage } from '../storage/site.storage.js';
import { NonceMemory } from './nonce.memory.js';
import { PollLoop } from './poll.loop.js';
import { forgetEndedRuns } from './run.departure.js';
import type { AgentEvent, SiteContext } from './site.context.js';

/** How long the last answer about a receipt is waited for. */
const STOP_WITHIN_MS = 1_000;

export interface ServeInput {
  folder: string;
  passphrase: StoreSecret;
  mappingFile: string;
  recordsFolder: string;
  /** Without one, policy.yaml of the folder holds, if there is one. */
  policyFile?: string;
  pollWaitMs: number;
  backend: BackendName;
  /** `file` if left out. */
  log?: LogPlace;
  /** `info` if left out. */
  logLevel?: LogLevel;
  /** Where the site's own monitoring reads; nowhere if left out. */
  metrics?: MonitorInput;
}

export interface ServeWatcher {
  /** @param metricsUrl where metrics are served, if they are */
  serving(member: Membership, metricsUrl?: string): void;
  event(event: AgentEvent): void;
  /** Why the coordinator could not be reached at the start. */
  probed(steps: readonly Finding[], message: string): void;
}

/**
 * The serving agent of one data folder: lock, keys, records, then polls until `signal` aborts. Everything that can be wrong at this site
 * (passphrase, mapping, records) fails before the first byte is sent.
 */
export async function serve(input: ServeInput, watcher: ServeWatcher, signal: AbortSignal): Promise<void> {
  requirePrivate(input.folder);
  const lock = lockFolder(input.folder);
  try {
    const member = readMembership(input.folder);
    requireTakesPart(input.folder, member);
    const policy = await settledPolicy(input.folder, input.policyFile);
    if (input.metrics !== undefined) monitorAddress(input.metrics);
    requireRulesOf(input.folder, policy.current());
    await loadCrypto();
    const store = KeyStore.open(join(input.folder, 'keys'), input.passphrase);
    const { identity, trainingSeed } = openSiteIdentity(store);
    requireIdentity(identity, member.identityKey, input.folder);
    const logKey = parseVkey(member.logVkey);
    const records = { mappingFile: input.mappingFile, dataDir: input.recordsFolder };
    const trainer = await SiteTrainer.start(records, trainingSeed, input.backend);
    const journal = Journal.open(join(input.folder, 'journal.sqlite'), { identity, vault: store });
    const log = openAgentLog(input.folder, member.site, input);
    const monitoring = new AgentMonitoring();
    const client = new WireClient(endpointOf(member), readTlsCredential(store));
    const tell = (event: AgentEvent) => {
      log.info(event, event.event);
      monitoring.told(event);
      watcher.event(event);
    };
    const port = new SentRecorder(
      client,
      (item) => {
        const entry = journal.activity.sending(item);
        if (entry.isNew) tell({ event: 'sent', ...item });
        return (outcome) => journal.activity.noteOutcome(entry.id, outcome);
      },
      monitoring.received,
    );
    const { consortium, site } = member;
    const operatorKey = hexToBytes(member.operatorKey);
    const objects = new ObjectCache(join(input.folder, 'objects'));
    const nonces = new NonceMemory();
    const crypto = new CryptoPool();
    const context: SiteContext = {
      consortium,
      site,
      identity,
      operatorKey,
      journal,
      policy: new RecordedPolicy(policy, journal.record),
      store,
      objects,
      port,
      trainer,
      nonces,
      storage: new SiteStorage(input.folder, tell),
      crypto,
      tell,
    };
    noteMembership(journal.record, member);
    journal.record.append({ kind: 'agent-started', software: softwareName() });
    forgetEndedRuns(context);
    const certificate = new CertificateKeeper({
      folder: input.folder,
      member,
      store,
      client,
      log,
      changed: (changed) => noteMembership(journal.record, changed),
    });
    const loop = new PollLoop(context, {
      waitMs: input.pollWaitMs,
      renew: () => certificate.refused(),
      authorities: () => certificate.authorities,
      newAuthorities: () => certificate.newAuthorities(),
      watch: monitoring.watch,
      explain: async (error) => watcher.probed(await explain(member, error), describeFailure(error).message),
    });
    const witness = new WitnessLoop({ ...context, log: logKey });
    const gauged = { folder: input.folder, journal, work: () => loop.work, certificateExpiresMs: () => certificate.expiresMs };
    try {
      const metricsUrl = input.metrics === undefined ? undefined : await monitoring.serve(input.metrics, gauged);
      watcher.serving(member, metricsUrl);
      certificate.watch(signal);
      const receipts = new ReceiptKeeper(context, member.logVkey).run(signal);
      await Promise.all([loop.run(signal), witness.run(signal)]);
      // A question that nobody answers must not keep the agent from stopping.
      await Promise.race([receipts, sleep(STOP_WITHIN_MS, undefined, { ref: false })]);
    } finally {
      monitoring.stop();
      await crypto.close();
      client.close();
      noteStop(journal);
      journal.close();
    }
  } finally {
    lock.release();
  }
}

/** On a full disk it is not written down; the record then shows the next start only, as after a power cut. */
function noteStop({ record }: Journal): void {
  try {
    record.append({ kind: 'agent-stopped' });
  } catch (error) {
    if (storageFaultOf(error) === undefined) throw error;
  }
}

/** Needs no keys, so that it is said before they are opened. */
function requireRulesOf(folder: string, policy: PolicyInForce): void {
  const journal = Journal.open(join(folder, 'journal.sqlite'));
  try {
    requireRules(journal.record, policy, folder);
  } finally {
    journal.close();
  }
}

/** Version and clock are asked first, because their refusals name what to do; only then the network is taken apart. */
async function explain(member: Membership, error: unknown): Promise<Finding[]> {
  if (describeFailure(error).code !== 'unreachable') return [];
  const client = new EnrolmentClient(endpointOf(member));
  try {
    await client.hello(Date.now());
    return [];
  } catch {
    return probe(endpointOf(member));
  } finally {
    client.close();
  }
}
