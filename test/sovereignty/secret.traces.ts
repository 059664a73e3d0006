import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { inTurns } from '../../demo/src/run/in.turns.js';
import { AGENT, COORDINATOR, runCommand } from '../e2e/command.runner.js';
import type { TestConsortium } from '../e2e/test.consortium.js';
import { PasswordProxy } from './password.proxy.js';
import { ProcessSampler } from './process.sampler.js';
import { secretOfInvite, secretsOfCoordinator, secretsOfSite } from './secret.collection.js';
import { bytesOf } from './passing.files.js';
import { type Secret, SecretSearch } from './secret.search.js';

/** Processes that are started meanwhile get these variables; they stay what they were for this one. */
export async function withEnvironment<T>(variables: Readonly<Record<string, string>>, work: () => Promise<T>): Promise<T> {
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  Object.assign(process.env, variables);
  try {
    return await work();
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** A name that only the proxy knows, in place of the address on this machine. */
function dialByName(folder: string): void {
  const file = join(folder, 'member.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"127.0.0.1:', '"coordinator.example:'));
}

/**
 * Everything that a run of real processes leaves where people, logs and crash reports can see it, and the secrets that must not stand there. The run is one
 * that a test makes anyway; this only watches it, serves its agents (the first one through a proxy with a password) and runs commands that fail.
 */
export class SecretTraces {
  failures = 0;
  readonly #sampler: ProcessSampler;
  readonly #reports: string;
  readonly #outputs: string;
  #proxy: PasswordProxy | undefined;
  #secrets: readonly Secret[] | undefined;

  /** @param stolen copy of the sites' folders from while the key epoch went on */
  constructor(
    private readonly consortium: TestConsortium,
    private readonly stolen: string,
  ) {
    const { out } = consortium.folders;
    this.#reports = join(out, 'reports');
    this.#outputs = join(out, 'outputs');
    for (const folder of [this.#reports, this.#outputs]) mkdirSync(folder);
    this.#sampler = new ProcessSampler(out);
  }

  /** For NODE_OPTIONS: the process writes a diagnostic report on a signal, with all that such a report would hold after a crash. */
  get reportOptions(): string {
    // Without the network, whose names it would look up one by one, the whole process standing still.
    return `--report-on-signal --report-signal=SIGUSR2 --report-exclude-network --report-directory=${this.#reports}`;
  }

  get argumentsSeen(): number {
    return this.#sampler.arguments.size;
  }

  get tunnels(): number {
    return this.#proxy?.tunnels ?? 0;
  }

  async serve(): Promise<void> {
    this.#proxy = await PasswordProxy.start('plant', randomBytes(18).toString('base64url'));
    const [first, ...others] = this.consortium.agents;
    dialByName(first!.folder);
    await withEnvironment({ NODE_OPTIONS: this.reportOptions, HTTPS_PROXY: this.#proxy.url }, () => first!.serve());
    for (const agent of others) await agent.serve();
  }

  askForReports(): void {
    for (const pid of [this.consortium.agents[0]!.pid, this.consortium.coordinator.pid]) process.kill(pid!, 'SIGUSR2');
  }

  reports(): string[] {
    return readdirSync(this.#reports).map((file) => join(this.#reports, file));
  }

  /** Answers, and errors near secrets: wrong and open passphrases, damaged invites and stores, keys that are in use. */
  async provoke(): Promise<void> {
    const { folders, agents } = this.consortium;
    const [operatorPassphrase, sitePassphrase] = ['coordinator', 'site-1'].map((member) => this.consortium.passphraseFile(member)) as [
      string,
      string,
    ];
    const [open, damaged, cut] = ['open-passphrase', 'damaged-invite', 'cut-invite'].map((name) => join(folders.passphrases, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(open, readFileSync(operatorPassphrase));
    chmodSync(open, 0o644);
    const invite = readFileSync(join(folders.out, 'invites', 'site-1.json'), 'utf8');
    writeFileSync(damaged, invite.replace(/"consortium": "./, '"consortium": "x'));
    writeFileSync(cut, invite.replace(/("secret": "[0-9a-f]{40})/, '$1"'));
    const site = agents[0]!.folder;
    const records = join(folders.records, 'site-1');
    const serving = ['serve', '--data', site, '--mapping', join(records, 'mapping.yaml'), '--records', records, '--json'];
    const operator = ['--data', folders.coordinator, '--json'];
    const fresh = join(folders.out, 'fresh');
    const commands: [program: string, args: string[]][] = [
      [COORDINATOR, ['status', ...operator, '--passphrase-file', operatorPassphrase]],
      [COORDINATOR, ['status', ...operator, '--passphrase-file', sitePassphrase]],
      [COORDINATOR, ['status', ...operator, '--passphrase-file', open]],
      [COORDINATOR, ['status', ...operator, '--passphrase-file', operatorPassphrase, '--key-file', operatorPassphrase]],
      [COORDINATOR, ['start', ...operator, '--passphrase-file', operatorPassphrase]],
      [
        COORDINATOR,
        ['keys', 'change-passphrase', ...operator, '--passphrase-file', operatorPassphrase, '--new-passphrase-file', sitePassphrase],
      ],
      [AGENT, ['status', '--data', site, '--json']],
      [AGENT, ['identity', '--data', site, '--json']],
      [AGENT, [...serving, '--passphrase-file', sitePassphrase]],
      [AGENT, ['join', damaged, '--data', fresh, '--passphrase-file', sitePassphrase, '--json']],
      [AGENT, ['join', cut, '--data', fresh, '--passphrase-file', sitePassphrase, '--json']],
      [
        AGENT,
        [
          'keys',
          'change-passphrase',
          '--data',
          site,
          '--passphrase-file',
          operatorPassphrase,
          '--new-passphrase-file',
          sitePassphrase,
          '--json',
        ],
      ],
      [AGENT, ['backup', '--data', site, '--out', join(folders.out, 'backup'), '--json']],
    ];
    await inTurns(
      commands.map((command, index) => ({ command, index })),
      async ({ command: [program, args], index }) => {
        const { code, stdout, stderr } = await runCommand(program, args);
        if (code !== 0) this.failures += 1;
        writeFileSync(join(this.#outputs, `${index}.txt`), `${args.join(' ')}\n${stdout}\n${stderr}`);
      },
    );
  }

  get secrets(): readonly Secret[] {
    if (this.#secrets !== undefined) return this.#secrets;
    const { folders, agents } = this.consortium;
    const password = { name: 'password of the proxy', value: Buffer.from(this.#proxy!.password) };
    const invites = readdirSync(join(folders.out, 'invites')).map((file) => secretOfInvite(join(folders.out, 'invites', file)));
    const sites = agents.flatMap(({ site }) => secretsOfSite(site, join(this.stolen, site), this.consortium.passphraseFile(site)));
    this.#secrets = [
      ...secretsOfCoordinator(folders.coordinator, this.consortium.passphraseFile('coordinator')),
      ...sites,
      ...invites,
      password,
    ];
    return this.#secrets;
  }

  /** Secrets that the search would not find if they stood in a file, in one of the spellings there are. */
  missedWhenPlanted(): string[] {
    const search = new SecretSearch(this.secrets);
    return this.secrets.flatMap(({ name, value }) => {
      // As part of something longer, and at any place in it.
      const near = Buffer.concat([Buffer.from('{"'), value, Buffer.from('"}')]);
      const planted = [
        near,
        Buffer.from(JSON.stringify({ a: value.toString('latin1') }), 'latin1'),
        ...(['hex', 'base64', 'base64url'] as const).map((encoding) => Buffer.from(near.toString(encoding))),
        Buffer.from(value.toString('hex').toUpperCase()),
      ];
      // JSON writes bytes that are no text by escapes: only texts stand in it as they are.
      const texts = /^[\x20-\x7e\n]+$/.test(value.toString('latin1')) ? planted : planted.toSpliced(1, 1);
      return texts.every((bytes) => search.in(Buffer.concat([randomBytes(1000), bytes, randomBytes(100)])).includes(name)) ? [] : [name];
    });
  }

  /** Puts one secret where only a mistake would put it. @returns what the search has to say of it */
  plant(): string {
    const { name, value } = this.secrets.find((secret) => secret.name === "log's signing key")!;
    writeFileSync(join(this.#outputs, 'planted.txt'), `a log line with ${value.toString('base64')} in it\n`);
    return `${name} in outputs/planted.txt`;
  }

  /** All that the run has written, sealed stores and databases too; only what is made to hold a secret is left out. */
  inFiles(): string[] {
    const { out, passphrases } = this.consortium.folders;
    const meant = [passphrases, join(out, 'invites'), join(out, 'recording.jsonl')];
    const search = new SecretSearch(this.secrets);
    return readdirSync(out, { recursive: true, withFileTypes: true }).flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      if (!entry.isFile() || meant.some((place) => path === place || path.startsWith(`${place}/`))) return [];
      return search.in(bytesOf(path) ?? Buffer.alloc(0)).map((name) => `${name} in ${relative(out, path)}`);
    });
  }

  inProcesses(): string[] {
    const all = new SecretSearch(this.secrets);
    const butProxy = new SecretSearch(this.secrets.filter(({ name }) => name !== 'password of the proxy'));
    return [
      ...[...this.#sampler.arguments].flatMap((line) => all.in(Buffer.from(line, 'latin1')).map((name) => `${name} in arguments`)),
      ...[...this.#sampler.environments].flatMap((line) =>
        butProxy.in(Buffer.from(line, 'latin1')).map((name) => `${name} in environment`),
      ),
    ];
  }

  inMessages(messages: readonly Buffer[]): string[] {
    const search = new SecretSearch(this.secrets.filter(({ name }) => !name.startsWith('invite of')));
    return messages.flatMap((bytes) => search.in(bytes));
  }

  async stop(): Promise<void> {
    this.#sampler.stop();
    this.#proxy?.stop();
    await Promise.resolve();
  }
}
