import { z } from 'zod';
import { DemoError } from '../errors/index.js';

/**
 * Reads what a command printed with --json: one JSON value, on one line or several.
 * @throws DemoError 'bad-answer' with what stands there instead.
 */
export function readAnswer<T>(command: string, lines: readonly string[], schema: z.ZodType<T>): T {
  const text = lines.join('\n');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DemoError('bad-answer', `"${command}" answered ${JSON.stringify(text.slice(0, 200))} instead of JSON.`);
  }
  const parsed = schema.safeParse(value);
  if (!parsed.success)
    throw new DemoError('bad-answer', `"${command}" answered without what was expected: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
