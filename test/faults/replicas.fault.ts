import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunStatus } from '@coferment/proto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServerDatabase } from '../../coordinator/src/testing/server-database.fixture.js';
import { emptyPart, writePart } from './fault.report.js';
import { AlternatingKills } from './schedules/alternating.kills.js';
import { launch } from './schedules/consortium.founding.js';
import { faultPlan } from './schedules/fault.plans.js';
import { ReplicatedStage } from './schedules/replicated.stage.js';
import { accountFaults } from './schedules/run.account.js';
import { everybodyHeard } from './schedules/run.ends.js';
import { RunFollower } from './schedules/run.follower.js';
import { complaintOf } from './schedules/site.complaint.js';
import { violationsOnServer } from './schedules/stored.violations.js';

const SERVER = process.env['DATABASE_URL'] ?? '';
if (SERVER === '' && process.env['REQUIRE_POSTGRES'] === '1') throw new Error('REQUIRE_POSTGRES is set, and DATABASE_URL names no server');
const why = SERVER === '' ? ' (skipped: DATABASE_URL names no PostgreSQL server)' : '';

/** The whole measure of the issue: 20 rounds. By default enough that each replica is killed in two phases. */
const ROUNDS = process.env['RELIABILITY_FULL'] === '1' ? 20 : 4;
const END_WITHIN_MS = 60_000 + ROUNDS * 30_000;

describe.skipIf(SERVER === '')(`two replicas on one PostgreSQL, of which one is killed in each of ${ROUNDS} rounds${why}`, () => {
  const root = mkdtempSync(join(tmpdir(), 'coferment-replicas-'));
  const database = new ServerDatabase(SERVER);
  const faults: string[] = [];
  const part = emptyPart('replicas');
  const stage = new ReplicatedStage(root, {
    siteTold: (site, event) => {
      const fault = complaintOf(site, event);
      if (fault !== undefined) faults.push(fault);
    },
    lost: (message) => faults.push(message),
  });
  const kills = new AlternatingKills(stage);
  let run: RunStatus;

  beforeAll(async () => {
    await database.create();
    process.env['DATABASE_URL'] = database.url;
    const plan = await stage.found(faultPlan('waiting', ROUNDS));
    await stage.serve();
    const id = await launch(stage.client!, plan);
    run = await new RunFollower(stage, id, (event) => kills.runMoved(event)).toTheEnd(END_WITHIN_MS);
    await kills.settled();
    faults.push(...(await everybodyHeard(stage.folders, id)));
    faults.push(...(await stage.stop()));
    faults.push(...(await violationsOnServer(stage.folders, database.url, stage.folders.out)));
  }, END_WITHIN_MS + 120_000);

  afterAll(async () => {
    await stage.stop();
    await database.drop();
    process.env['DATABASE_URL'] = SERVER;
    part.violations.push(...faults);
    part.recoverySeconds.push(...kills.recoveriesMs.map((ms) => ms / 1000));
    writePart(part);
    if (part.violations.length === 0) rmSync(root, { recursive: true });
    else console.log(`The folders are kept: ${root}`);
  });

  it('kills each of them in turn, once a round', () => {
    console.log(kills.kills.map(({ round, phase, replica }) => `round ${round}: ${replica} while ${phase}`).join('\n'));
    expect(kills.kills.map(({ round }) => round)).toEqual(Array.from({ length: ROUNDS }, (_, index) => index + 1));
  });

  it('closes every round once, with every site counted', () => {
    const found = accountFaults(run, 'waiting', ROUNDS);
    part.violations.push(...found);
    expect(found).toEqual([]);
  });

  it('shows no site an error that needs a person, ends every process in order, and leaves stores in which every invariant holds', () => {
    expect(faults).toEqual([]);
  });
});
