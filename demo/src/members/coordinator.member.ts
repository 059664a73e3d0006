import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { DemoError } from '../errors/index.js';
import type { ChildProgram, ProcessGroup } from '../processes/index.js';
import { type RunView, readRunView } from '../run/run.view.js';
import { readAnswer } from './command.answer.js';
import type { MemberFolders } from './member.folders.js';
import { COORDINATOR_PROGRAM } from './program.path.js';

const START_MS = 60_000;
const PUBLISHED_WITHIN_MS = 60_000;
const ASK_AGAIN_MS = 500;

const listening = z.object({
  address: z.string(),
  consortium: z.string(),
  origin: z.string(),
  logVkey: z.string(),
  operatorKey: z.string(),
  ledgerUrl: z.string(),
});

/** What the coordinator prints first; the auditor's key comes from here and from nowhere else. */
export type Listening = z.output<typeof listening>;

/** The coordinator's process and its operator's commands, each a process of its own. */
export class CoordinatorMember {
  private server: ChildProgram | undefined;
  private url = '';

  constructor(
    private readonly group: ProcessGroup,
    private readonly folders: MemberFolders,
    private readonly passphraseFile: string,
    private readonly lost: (error: DemoError) => void,
    /** Further options of every start: what it shares with other coordinators. */
    private readonly shared: readonly string[] = [],
  ) {}

  async start(consortium: string, origin: string): Promise<Listening> {
    return this.serve(['--consortium', consortium, '--origin', origin, '--listen', '127.0.0.1:0', '--ledger-readers', 'anyone']);
  }

  /** On the same folder: it takes its name, keys and port from there. */
  async restart(): Promise<Listening> {
    return this.serve([]);
  }

  /** Where anybody may read its ledger. */
  get ledgerUrl(): string {
    return this.url;
  }

  get pid(): number | undefined {
    return this.server?.pid;
  }

  /** SIGKILL: it gets no chance to write anything. */
  async kill(): Promise<void> {
    this.server?.kill('SIGKILL');
    await this.server?.ended;
  }

  /** @param address where the site is to dial; without it where this coordinator listens */
  async invite(site: string, address?: string): Promise<string> {
    const file = join(this.folders.out, 'invites', `${site}.json`);
    await this.operator(['invite', site, '--out', file, '--pre-admit', ...(address === undefined ? [] : ['--address', address])]);
    return file;
  }

  async publishPlan(file: string): Promise<string> {
    const answer = z.object({ plan: z.string() });
    return readAnswer('plan publish', await this.operator(['plan', 'publish', file]), answer).plan;
  }

  async launch(plan: string): Promise<string> {
    const answer = z.object({ run: z.string() });
    return readAnswer('launch', await this.operator(['launch', plan]), answer).run;
  }

  async run(run: string): Promise<RunView> {
    return readRunView(readAnswer('run', await this.operator(['run', run]), z.unknown()));
  }

  /** Prints one event a line until the run ends. */
  watch(run: string): ChildProgram {
    return this.group.start(this.command(['watch', run], 'watch.log'));
  }

  /** Comes back when all that is signed so far is published as well: witnesses have cosigned it, or were waited for. */
  async ledgerPublished(): Promise<void> {
    const answer = z.object({ size: z.coerce.number(), publishedSize: z.coerce.number() });
    const status = async () => readAnswer('ledger status', await this.operator(['ledger', 'status']), answer);
    const { size } = await status();
    for (const endMs = Date.now() + PUBLISHED_WITHIN_MS; (await status()).publishedSize < size; await pause(ASK_AGAIN_MS))
      if (Date.now() > endMs) throw new DemoError('run-failed', `The ledger of ${size} entries has not been published.`);
  }

  async exportLedger(folder: string): Promise<void> {
    await this.operator(['export', 'ledger', '--out', folder]);
  }

  async exportModel(run: string, folder: string): Promise<void> {
    await this.operator(['models', 'download', run, '--out', folder]);
  }

  private async serve(settings: readonly string[]): Promise<Listening> {
    const server = this.group.start({
      name: 'coordinator',
      script: COORDINATOR_PROGRAM,
      args: [
        'start',
        '--data',
        this.folders.coordinator,
        '--passphrase-file',
        this.passphraseFile,
        ...settings,
        ...this.shared,
        '--ledger-listen',
        '127.0.0.1:0',
        '--json',
      ],
      logFile: join(this.folders.logs, 'coordinator.log'),
    });
    this.server = server;
    const first = await server.event((event) => event['event'] === 'listening', 'listening', START_MS);
    void server.ended.then(() => {
      if (!server.asked) this.lost(server.failure());
    });
    const answer = listening.parse(first);
    this.url = answer.ledgerUrl;
    return answer;
  }

  private operator(args: readonly string[]): Promise<readonly string[]> {
    return this.group.run(this.command(args, 'operator.log'));
  }

  private command(args: readonly string[], log: string) {
    return {
      name: `coferment ${args.slice(0, 2).join(' ')}`,
      script: COORDINATOR_PROGRAM,
      args: [...args, '--data', this.folders.coordinator, '--passphrase-file', this.passphraseFile, '--json'],
      logFile: join(this.folders.logs, log),
    };
  }
}
