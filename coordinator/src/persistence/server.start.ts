import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { CoordinatorError } from '../errors/index.js';
import type { DatabaseAddress } from './data-source.factory.js';
import { databaseFaultOf } from './database.fault.js';

/** A machine that starts brings up the coordinator and its database at the same time, in any order. */
const LONGEST_START_MS = 30_000;
const AGAIN_MS = 1000;

/**
 * Connects to a server as soon as it answers.
 * @param tell where the waiting is told, once
 * @throws CoordinatorError 'unreachable' when it has not answered within half a minute; the password is in no message
 */
export async function whenItAnswers(
  url: string,
  connect: (address: DatabaseAddress) => Promise<DataSource>,
  { longestMs = LONGEST_START_MS, tell = tellPerson }: { longestMs?: number; tell?: (text: string) => void } = {},
): Promise<DataSource> {
  const endMs = performance.now() + longestMs;
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await connect({ url });
    } catch (cause) {
      const fault = databaseFaultOf(cause);
      if (fault !== 'gone' && fault !== 'slow') throw cause;
      if (performance.now() >= endMs)
        throw new CoordinatorError(
          'unreachable',
          `The database ${placeOf(url)} has not answered for ${longestMs / 1000} s: ${reasonOf(cause)}. Start it, or correct DATABASE_URL; then start the coordinator again. Nothing was changed.`,
          { cause },
        );
      if (isFirst) tell(`The database ${placeOf(url)} does not answer yet; waiting for up to ${longestMs / 1000} s.`);
      await sleep(AGAIN_MS);
    }
  }
}

function tellPerson(text: string): void {
  process.stderr.write(`${text}\n`);
}

function placeOf(url: string): string {
  return URL.canParse(url) ? `${new URL(url).host}${new URL(url).pathname}` : 'of DATABASE_URL';
}

function reasonOf(cause: unknown): string {
  const first = cause instanceof AggregateError ? (cause.errors[0] as unknown) : cause;
  return first instanceof Error && first.message !== '' ? first.message : 'no connection';
}
