import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import { type NoteSigner, encodeVkey, parseCheckpoint, parseNote, parseVkey, publicKeyFromSeed, verifierKey } from '../note/index.js';
import { shownText } from '../report/index.js';
import { seenCheckpoint } from '../witness/index.js';
import type { FollowResult } from '../witness/follow.step.js';
import type { DeskAnswer, WitnessDesk } from '../witness/witness.desk.js';
import type { WitnessStore } from '../witness/witness.store.js';
import { type Conclude, DOES_NOT_HOLD, HOLDS, type Output, jsonText } from './audit.output.js';
import { type WebFlags, webOptions, webReaderOf } from './ledger.target.js';
import { type ListenAddress, collected, listenAddress, seconds } from './witness.options.js';
import { answerText, followText, statusText } from './witness.text.js';

interface WitnessFlags extends WebFlags {
  data: string;
  name?: string;
  keyFile?: string;
  log?: string[];
  from?: string;
  listen?: ListenAddress;
  follow?: string[];
  every: number;
  status?: boolean;
  json?: boolean;
}

/** Everything of a witness that is open while it runs. */
interface Desk {
  readonly store: WitnessStore;
  readonly desk: WitnessDesk;
  readonly tell: (event: object, text: string) => void;
  readonly stop: AbortSignal;
}

export function addWitness(program: Command, { out, err }: Output, conclude: Conclude): void {
  webOptions(program.command('witness'))
    .description('cosign the checkpoints of ledgers, each only if it extends all that this witness has seen')
    .requiredOption('--data <folder>', 'what this witness must remember: never restore it from an old copy')
    .option('--name <name>', 'what the witness is called in signatures, e.g. witness.example/w1; needed at the first start')
    .option('--key-file <file>', 'where its key is, or is to be made (default: witness.key in the data folder)')
    .option('--log <vkey>', 'a log to witness, by its key from outside; remembered; may be given several times', collected)
    .option('--from <file>', "a log's checkpoint to begin with, so that its first one need not be taken on trust")
    .option('--listen <host:port>', 'let logs ask for cosignatures here: POST /add-checkpoint (C2SP tlog-witness)', listenAddress)
    .option('--follow <url>', 'look at the log served there, for a witness that cannot be reached; may be given several times', collected)
    .option('--every <seconds>', 'how often to look', seconds, 30)
    .option('--status', 'say what this witness has seen, and whether it holds evidence of a split view')
    .option('--json', 'print JSON, one line for each event')
    .addHelpText(
      'after',
      `
It runs until it is stopped. Without --listen or --follow it only makes its key and prints the line by which others know it (vkey).

Exit code: 0 stopped, or nothing is wrong; 1 --status: a log has told two different things; 2 it could not start.

Example:
  coferment-audit witness --data ./witness --name witness.example/w1 --log 'ledger.example/acme+1a2b3c4d+AbCd...=' --listen 127.0.0.1:8470`,
    )
    .action(async (flags: WitnessFlags) => {
      mkdirSync(flags.data, { recursive: true, mode: 0o700 });
      // Only here: SQLite and the HTTP server cost every other command its start.
      const [{ WitnessStore }, { WitnessDesk }, { openWitnessKey }] = await Promise.all([
        import('../witness/witness.store.js'),
        import('../witness/witness.desk.js'),
        import('../witness/witness.key.js'),
      ]);
      const signer = openWitnessKey(flags.keyFile ?? join(flags.data, 'witness.key'), flags.name);
      const store = new WitnessStore(flags.data);
      try {
        for (const vkey of flags.log ?? []) store.addLog(requireLog(vkey));
        if (flags.from !== undefined) await beginWith(store, flags.from);
        const evidence = store.evidence();
        if (flags.status) {
          const logs = store.logKeys().map(({ name }) => ({ origin: name, size: store.seen(name)?.size.toString() ?? null }));
          const status = { vkey: vkeyOf(signer), logs, evidence };
          out(flags.json ? jsonText(status, 2) : statusText(status));
          conclude(evidence.some(({ verdict }) => verdict === 'proved') ? DOES_NOT_HOLD : HOLDS);
          return;
        }
        const tell = (event: object, text: string) => out(flags.json ? jsonText(event) : text);
        tell({ event: 'witness', vkey: vkeyOf(signer) }, `Witness ${vkeyOf(signer)}\n`);
        const running = new AbortController();
        const stop = () => running.abort();
        process.once('SIGINT', stop).once('SIGTERM', stop);
        const desk: Desk = { store, desk: new WitnessDesk(store, signer), tell, stop: running.signal };
        try {
          await Promise.all([
            ...(flags.listen ? [serve(desk, flags.listen)] : []),
            ...(flags.follow ?? []).map((url) => follow(desk, url, flags, err)),
          ]);
        } finally {
          running.abort();
          process.off('SIGINT', stop).off('SIGTERM', stop);
        }
        conclude(HOLDS);
      } finally {
        store.close();
      }
    });
}

async function serve({ desk, tell, stop }: Desk, { host, port }: ListenAddress): Promise<void> {
  const { witnessServer } = await import('../witness/witness.server.js');
  const server = await witnessServer(desk, (answer: DeskAnswer) => tell({ event: 'answer', ...answer }, answerText(answer)));
  const address = await server.listen({ host, port });
  tell({ event: 'listening', address }, `Listening at ${address}/add-checkpoint\n`);
  await stopped(stop);
  await server.close();
}

async function follow({ store, desk, tell, stop }: Desk, url: string, flags: WitnessFlags, err: Output['err']): Promise<void> {
  const { followOnce } = await import('../witness/follow.step.js');
  const server = await webReaderOf(url, flags);
  try {
    while (!stop.aborted) {
      try {
        const result: FollowResult = await followOnce(server.read, store, desk, flags.data);
        tell({ event: 'followed', ...result }, followText(result));
      } catch (error) {
        // A log that cannot be read now may be readable later: the witness goes on.
        err(`${url}: ${shownText((error as Error).message)}\n`);
      }
      await wait(flags.every * 1000, undefined, { signal: stop }).catch(() => {});
    }
  } finally {
    await server.close();
  }
}

/** A first checkpoint from outside. One that is remembered already counts more. */
async function beginWith(store: WitnessStore, file: string): Promise<void> {
  const note = await readFile(file, 'utf8');
  const { origin } = parseCheckpoint(parseNote(note).text);
  const given = seenCheckpoint(
    note,
    store.logKeys().filter(({ name }) => name === origin),
  );
  const { next } = store.advance(origin, (last) => ({ next: last ? undefined : given }));
  if (!next) throw new Error(`a checkpoint of "${origin}" is remembered already; start without --from`);
}

function requireLog(vkey: string) {
  const key = parseVkey(vkey);
  if (key.kind !== 'log') throw new Error(`"${key.name}" is a witness's key; --log needs the key of a log`);
  return key;
}

function vkeyOf({ name, seed }: NoteSigner): string {
  return encodeVkey(verifierKey('witness', name, publicKeyFromSeed(seed)));
}

async function stopped(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
}
