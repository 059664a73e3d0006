import { afterAll } from 'vitest';
import { ScriptedConsortium } from './consortium.fixture.js';

const opened: ScriptedConsortium[] = [];
afterAll(() => opened.forEach((consortium) => consortium.close()));

/** A consortium that is closed, and its folders removed, when all tests of the file have ended. */
export function openConsortium(...given: ConstructorParameters<typeof ScriptedConsortium>): ScriptedConsortium {
  const consortium = new ScriptedConsortium(...given);
  opened.push(consortium);
  return consortium;
}

/** All keys are confirmed and the statistics are published: training can begin. */
export async function inTraining(...given: ConstructorParameters<typeof ScriptedConsortium>): Promise<ScriptedConsortium> {
  const consortium = openConsortium(...given);
  await consortium.toRounds();
  return consortium;
}

/** The code that work is refused with, or "no error". */
export const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no error',
    (error: unknown) => (error as { code: string }).code,
  );
