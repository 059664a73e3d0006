import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { MemberFolders } from '../../../demo/src/members/member.folders.js';
import { AGENT_PROGRAM, COORDINATOR_PROGRAM } from '../../../demo/src/members/program.path.js';
import type { ProgramSpecification } from '../../../demo/src/processes/index.js';
import type { Site, Victim } from './fault.schedule.js';

const keyFile = ({ passphrases }: MemberFolders, member: Victim): string => join(passphrases, member);

/** Keys of the stores are files here, not passphrases: a passphrase costs half a second of Argon2id at every start. */
export function drawStoreKey(folders: MemberFolders, member: Victim): void {
  mkdirSync(folders.passphrases, { recursive: true, mode: 0o700 });
  writeFileSync(keyFile(folders, member), randomBytes(32), { mode: 0o600, flag: 'wx' });
}

export const storeKey = (folders: MemberFolders, member: Victim): Uint8Array => readFileSync(keyFile(folders, member));

export const siteFolder = ({ sites }: MemberFolders, site: Site): string => join(sites, site);

/** Its lines are led to wherever it listens: a port that is free now may not be in a minute, on a machine that does other things as well. */
export function coordinatorProgram(
  folders: MemberFolders,
  words: readonly string[] = [],
  data = folders.coordinator,
): ProgramSpecification {
  const name = basename(data);
  return {
    name,
    script: COORDINATOR_PROGRAM,
    args: ['start', '--data', data, '--key-file', keyFile(folders, 'coordinator'), ...words, '--listen', '127.0.0.1:0', '--json'],
    logFile: join(folders.logs, `${name}.log`),
  };
}

export function agentProgram(
  folders: MemberFolders,
  site: Site,
  command: 'join' | 'serve',
  words: readonly string[],
): ProgramSpecification {
  return {
    name: `agent ${site}`,
    script: AGENT_PROGRAM,
    args: [command, ...words, '--data', siteFolder(folders, site), '--key-file', keyFile(folders, site), '--json'],
    logFile: join(folders.logs, `${site}.log`),
  };
}

export function servingAgent(folders: MemberFolders, site: Site): ProgramSpecification {
  const records = join(folders.records, site);
  return agentProgram(folders, site, 'serve', ['--mapping', join(records, 'mapping.yaml'), '--records', records, '--poll-wait-ms', '1000']);
}
