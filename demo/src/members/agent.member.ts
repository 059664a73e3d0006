import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { DemoError } from '../errors/index.js';
import type { ChildProgram, ProcessGroup, ProgramEvent } from '../processes/index.js';
import { readAnswer } from './command.answer.js';
import type { MemberFolders } from './member.folders.js';
import { AGENT_PROGRAM } from './program.path.js';

const START_MS = 60_000;
/** The coordinator counts a site as absent after a number of polls; a demo that polls every second shows it soon. */
const POLL_WAIT_MS = 1000;

const RECEIPTS_WITHIN_MS = 60_000;
const ASK_AGAIN_MS = 500;

const receipts = z.object({ receipts: z.array(z.object({ state: z.string() })) });
const exported = z.object({ files: z.array(z.string()) });
const identity = z.object({ site: z.string(), identityKey: z.string() });

export interface AgentSetting {
  readonly site: string;
  readonly mappingFile: string;
  readonly recordsFolder: string;
  readonly passphraseFile: string;
  /** Another build of the agent than that of this repository, with its own Node. */
  readonly program?: { readonly node: readonly string[]; readonly script: string };
}

export interface AgentWatcher {
  event(site: string, event: ProgramEvent): void;
  /** The agent ended and nobody had asked it to. */
  lost(error: DemoError): void;
}

/** One site: its agent's process and the commands its people give, each a process of its own on the site's own folder. */
export class AgentMember {
  readonly site: string;
  readonly folder: string;
  private server: ChildProgram | undefined;

  constructor(
    private readonly group: ProcessGroup,
    private readonly folders: MemberFolders,
    private readonly setting: AgentSetting,
    private readonly watcher: AgentWatcher,
  ) {
    this.site = setting.site;
    this.folder = join(folders.sites, setting.site);
  }

  /** @param trainingSeed without it the site draws its own, as sites do */
  async join(inviteFile: string, trainingSeed?: string): Promise<void> {
    const secrets = ['--passphrase-file', this.setting.passphraseFile];
    await this.command(['join', inviteFile, ...secrets, ...(trainingSeed === undefined ? [] : ['--training-seed', trainingSeed])]);
  }

  /** Read at the site itself, as its people would read it to the others over the telephone. */
  async identityKey(): Promise<string> {
    return readAnswer('identity', await this.command(['identity']), identity).identityKey;
  }

  async approvePlan(plan: string): Promise<void> {
    await this.command(['plans', 'approve', plan]);
  }

  async approveRoster(fingerprint: string): Promise<void> {
    await this.command(['roster', 'approve', fingerprint]);
  }

  /**
   * Writes the receipts of all contributions of this site, as soon as witnesses have cosigned them.
   * @returns the files of each receipt, in the order of the sums
   * @throws DemoError 'run-failed' when one is still missing after a minute
   */
  async exportReceipts(folder: string): Promise<string[][]> {
    for (const endMs = Date.now() + RECEIPTS_WITHIN_MS; ; await pause(ASK_AGAIN_MS)) {
      const list = readAnswer('receipts list', await this.command(['receipts', 'list']), receipts).receipts;
      if (list.length > 0 && list.every(({ state }) => state === 'stored')) break;
      if (Date.now() > endMs)
        throw new DemoError('run-failed', `"${this.site}" has not got all its receipts: ${list.map(({ state }) => state).join(', ')}.`);
    }
    const { files } = readAnswer('receipts export', await this.command(['receipts', 'export', '--out', folder]), exported);
    return [...Map.groupBy(files, (file) => dirname(file).split('/')[0]!).values()].map((each) => each.map((file) => join(folder, file)));
  }

  async serve(): Promise<void> {
    const { mappingFile, recordsFolder, passphraseFile } = this.setting;
    const data = ['--mapping', mappingFile, '--records', recordsFolder, '--passphrase-file', passphraseFile];
    const server = this.group.start(this.specification(['serve', ...data, '--poll-wait-ms', String(POLL_WAIT_MS)]));
    this.server = server;
    server.onEvent((event) => this.watcher.event(this.site, event));
    await server.event((event) => event['event'] === 'serving', 'serving', START_MS);
    void server.ended.then(() => {
      if (!server.asked) this.watcher.lost(server.failure());
    });
  }

  get pid(): number | undefined {
    return this.server?.pid;
  }

  /** SIGKILL, as when a machine loses power. */
  async kill(): Promise<void> {
    this.server?.kill('SIGKILL');
    await this.server?.ended;
  }

  private command(args: readonly string[]): Promise<readonly string[]> {
    return this.group.run(this.specification(args));
  }

  private specification(args: readonly string[]) {
    return {
      name: args[0] === 'serve' ? `agent ${this.site}` : `coferment-agent ${args[0]} (${this.site})`,
      script: AGENT_PROGRAM,
      ...this.setting.program,
      args: [...args, '--data', this.folder, '--json'],
      logFile: join(this.folders.logs, `${this.site}.log`),
    };
  }
}
