import 'reflect-metadata';
import { WIRE_VERSION, signStatement } from '@coferment/consortium';
import { type StoreSecret, loadCrypto } from '@coferment/crypto';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AgentAddress, listeningAddress } from './agent-port/agent.address.js';
import { AgentPort } from './agent-port/agent.port.js';
import { AuthorityRollover } from './certificates/authority.rollover.js';
import { OwnCertificates } from './certificates/own.certificates.js';
import { CoordinatorModule } from './coordinator.module.js';
import { EnrolmentRepository } from './enrolment/enrolment.repository.js';
import { CoordinatorError } from './errors/index.js';
import {
  type Charter,
  type ConsortiumFacts,
  isFounded,
  keepCertificateLife,
  keepWitnessServers,
  readFacts,
} from './identity/consortium.facts.js';
import { ConsortiumIdentity, found, unlock } from './identity/consortium.identity.js';
import { requireCharter, requireSameCharter, requireSameFounding, requireSoundCharter } from './identity/charter.rule.js';
import { type LedgerListening, LedgerServer } from './ledger-http/ledger.server.js';
import type { Limits } from './limits/coordinator.limits.js';
import type { MonitorListening } from './monitoring/monitor.address.js';
import { MonitorServer } from './monitoring/monitor.server.js';
import type { BucketAccess } from './objects/bucket.address.js';
import { ObjectStore } from './objects/object.store.js';
import { ObjectSweep } from './objects/object.sweep.js';
import { requireBucket } from './objects/store.choice.js';
import { Database } from './persistence/database.js';
import { type FolderLock, lockFolder } from './persistence/folder.lock.js';
import { PublicationService } from './publication/publication.service.js';
import { ChangeListener } from './replicas/change.listener.js';
import { replicaOf, requireSharing } from './replicas/replica.file.js';
import { ReplicaRepository } from './replicas/replica.repository.js';
import { Replicas } from './replicas/replicas.service.js';
import { Presence } from './rounds/presence.js';
import { KeptTime } from './runs/kept.time.js';
import { RunReconciler } from './runs/run.reconciler.js';
import { keepAddress, lastAddress } from './running.address.js';
import { HealthProbe } from './telemetry/health.probe.js';
import { Settings } from './settings.js';
import { Health } from './telemetry/health.js';
import type { LogLevel, LogPlace } from './telemetry/log.settings.js';
import { OutsideWitnesses } from './witnessing/outside.witnesses.js';
import { parseWitnessAddress } from './witnessing/witness.address.js';
import { WitnessingService } from './witnessing/witnessing.service.js';

export interface StartOptions {
  folder: string;
  passphrase: StoreSecret;
  /** Needed at the first start of a folder; later ones re-use what is stored. */
  consortium?: string;
  origin?: string;
  /** Of a new consortium; what is left out is as usual. */
  charter?: Partial<Charter>;
  /** `host:port`; without it the last address is taken again. */
  listen?: string;
  databaseUrl?: string;
  /** Folder of the object store that coordinators share, or `s3://bucket/prefix`; without it, it is in the data folder. */
  objects?: string;
  /** How a bucket is reached, where the usual `AWS_*` variables and files do not say it. */
  bucketAccess?: BucketAccess;
  /** How much of a bucket is kept on this machine at most, in GiB; 20 if left out. */
  objectCacheGib?: number;
  /** How long certificates are good for, from the next one that is issued on; kept for later starts. */
  certificateLifeMs?: number;
  /** Witnesses outside the consortium that are called, each as verifier key and URL; kept for later starts. */
  witnessServers?: readonly string[];
  /** Where the ledger is served to anybody; nowhere if left out. */
  ledger?: LedgerListening;
  /** How long witnesses are waited for before a checkpoint is published as it is. */
  offerMs?: number;
  /** Where metrics and health are read; nowhere if left out. */
  monitor?: MonitorListening;
  log?: LogPlace;
  logLevel?: LogLevel;
  /** What callers may ask for at most; as usual if left out. */
  limits?: Limits;
}

/** A coordinator that listens. */
export interface RunningCoordinator {
  /** `host:port` */
  address: string;
  /** Of the public ledger, where it is served. */
  ledgerUrl?: string;
  /** Of metrics and health, where they are served. */
  monitorUrl?: string;
  facts: ConsortiumFacts;
  context: INestApplicationContext;
  stop(): Promise<void>;
}

/** For uploads and answers that are under way; what does not end by then goes on from its last chunk. */
const LONGEST_DRAIN_MS = 3000;

/** For steps that wait for the database or for a bucket. */
const LONGEST_ENDING_MS = 1500;

const FIRST_LISTEN = '127.0.0.1:0';

/** @throws CoordinatorError 'folder-locked', 'wrong-passphrase', 'folder-unusable', 'log-forked', 'unreachable' */
export async function startCoordinator(options: StartOptions): Promise<RunningCoordinator> {
  const lock = lockFolder(options.folder);
  try {
    await loadCrypto();
    const listen = listeningAddress(options.listen ?? lastAddress(options.folder) ?? FIRST_LISTEN).address;
    await foundOnce(options);
    const { witnessServers, ledger } = options;
    if (witnessServers !== undefined) keepWitnessServers(options.folder, witnessServers.map(checkedWitness));
    if (ledger !== undefined) requireOpenLedger(readFacts(options.folder));
    requireBucket(options);
    const replica = replicaOf(options.folder);
    requireSharing(options.folder, replica, options);
    const settings: Settings = { ...options, listen, replica: replica.id };
    const identity = unlock(options.folder, options.passphrase);
    const context = await NestFactory.createApplicationContext(CoordinatorModule.with(settings, identity), {
      logger: ['error', 'fatal'],
      abortOnError: false,
    });
    return await listenOn(context, settings, lock, options);
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function foundOnce(options: StartOptions): Promise<void> {
  const { folder, passphrase, consortium, origin, certificateLifeMs, charter = {} } = options;
  if (!isFounded(folder)) {
    if (consortium === undefined || origin === undefined) {
      throw new CoordinatorError(
        'folder-unusable',
        `There is no consortium in ${folder} yet. Give --consortium NAME and --origin ORIGIN to found one.`,
      );
    }
    requireSoundCharter(charter, origin);
    const life = certificateLifeMs === undefined ? {} : { certificateLifeMs };
    return found(folder, passphrase, { consortium, origin, ...life, ...charter });
  }
  const facts = readFacts(folder);
  const other = (consortium ?? facts.consortium) !== facts.consortium || (origin ?? facts.origin) !== facts.origin;
  if (other)
    throw new CoordinatorError(
      'folder-unusable',
      `${folder} holds the consortium "${facts.consortium}" with origin ${facts.origin}. Use another folder for another one.`,
    );
  requireSameCharter(charter, facts);
  if (certificateLifeMs !== undefined && certificateLifeMs !== facts.certificateLifeMs) keepCertificateLife(folder, certificateLifeMs);
}

function checkedWitness(text: string): string {
  parseWitnessAddress(text);
  return text;
}

/** Whoever joined under a charter did so knowing who reads the ledger. @throws CoordinatorError 'forbidden' */
function requireOpenLedger({ consortium, ledgerReaders }: ConsortiumFacts): void {
  if (ledgerReaders === 'anyone') return;
  throw new CoordinatorError(
    'forbidden',
    `By the charter of "${consortium}" the ledger is for ${ledgerReaders.replaceAll('-', ' ')}, not for anyone, so it is not served over HTTP. Leave out --ledger-listen; auditors get an export: coferment export ledger.`,
  );
}

async function listenOn(
  context: INestApplicationContext,
  settings: Settings,
  lock: FolderLock,
  { ledger, monitor }: Pick<StartOptions, 'ledger' | 'monitor'>,
): Promise<RunningCoordinator> {
  const health = context.get(Health);
  const stop = async () => {
    health.stopping();
    await context.get(AgentPort).drain(LONGEST_DRAIN_MS);
    const giveUp = setTimeout(() => {
      context.get(Database).giveUp();
      context.get(ObjectStore).giveUp();
    }, LONGEST_ENDING_MS);
    await context.close();
    clearTimeout(giveUp);
    lock.release();
  };
  try {
    // First of all: a start that takes long, or waits for something, is to be seen as one.
    const monitorUrl = monitor === undefined ? {} : { monitorUrl: await context.get(MonitorServer).listen(monitor) };
    await context.get(Replicas).open();
    await requireObjectStore(context);
    await context.get(PublicationService).open();
    await context.get(KeptTime).nowMs();
    await recordFounding(context);
    await context.get(WitnessingService).open();
    context.get(OutsideWitnesses).start();
    await rememberSites(context);
    await context.get(AuthorityRollover).open();
    await context.get(OwnCertificates).open();
    const ledgerUrl = ledger === undefined ? {} : { ledgerUrl: await context.get(LedgerServer).listen(ledger) };
    const address = listeningAddress(settings.listen).on(await context.get(AgentPort).listen(settings.listen));
    context.get(AgentAddress).value = address;
    keepAddress(settings.folder, address);
    context.get(Replicas).listensOn(address);
    context.get(ChangeListener).start();
    context.get(RunReconciler).start();
    context.get(HealthProbe).start();
    context.get(ObjectSweep).start();
    health.started();
    return { address, ...ledgerUrl, ...monitorUrl, facts: context.get(ConsortiumIdentity).facts, context, stop };
  } catch (error) {
    await context.close();
    throw error;
  }
}

/** The rows of the database name files: in another folder they would all be missing. @throws CoordinatorError 'folder-unusable' */
async function requireObjectStore(context: INestApplicationContext): Promise<void> {
  const store = context.get(ObjectStore);
  await store.open();
  const found = await store.name();
  const known = await context.get(Database).transaction((manager) => context.get(ReplicaRepository).objectStore(manager, found));
  if (found === known) return;
  const { place } = store;
  throw new CoordinatorError(
    'folder-unusable',
    `The database speaks of objects in the store ${known}; ${place} is the store ${found}. Give the object folder of this consortium with --objects; all its coordinators share one. ` +
      `If ${place} is a copy of it that was restored from a backup, write "id":"${known}" into ${place}/store.json.`,
  );
}

/** The ledger begins with who runs it, and with the charter that everybody joins under. @throws CoordinatorError 'folder-unusable' where it does not */
async function recordFounding(context: INestApplicationContext): Promise<void> {
  const publication = context.get(PublicationService);
  const { facts, operator } = context.get(ConsortiumIdentity);
  if (publication.size > 0) return requireOwnCharter(context);
  const { consortium, origin, operatorKey, ledgerReaders, siteNames, witnessQuorum, witnesses } = facts;
  const founding = signStatement('consortium-founded', { consortium, origin, operatorKey, wireVersion: WIRE_VERSION }, operator);
  const charter = signStatement('charter', { consortium, ledgerReaders, siteNames, witnessQuorum, witnesses }, operator);
  await context.get(Database).transaction(async (manager) => {
    // Another coordinator that starts for the first time on the same database may have been faster.
    if ((await publication.lockedSize(manager)) > 0) return;
    await publication.appendAll(
      manager,
      [founding, charter].map((envelope) => ({ envelope, publicKey: operator.publicKey })),
    );
  });
  await publication.follow();
  return requireOwnCharter(context);
}

async function requireOwnCharter(context: INestApplicationContext): Promise<void> {
  const { facts } = context.get(ConsortiumIdentity);
  const { folder } = context.get(Settings);
  const [first, second] = await context.get(PublicationService).entries(0, 2);
  requireSameFounding(first, facts, folder);
  requireCharter(second, folder, facts.consortium);
}

/** Nobody could poll while the coordinator was down, so every site gets a fresh grace, as long as its own polls are. */
async function rememberSites(context: INestApplicationContext): Promise<void> {
  const sites = await context.get(Database).transaction((manager) => context.get(EnrolmentRepository).sites(manager));
  for (const { site, identityKey, waitMs } of sites)
    if (identityKey !== null) context.get(Presence).remember({ site, identityKey }, waitMs);
}
