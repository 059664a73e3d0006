import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CoordinatorError } from '../errors/index.js';
import { describeFailure } from './command.output.js';

function failureOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

describe('a failure', () => {
  it('of a rule is told by the code and the words of the rule', () => {
    expect(describeFailure(new CoordinatorError('unknown-run', 'There is no run "r".'))).toEqual({
      code: 'unknown-run',
      message: 'There is no run "r".',
    });
  });

  it('of the system is told in one line with the path', () => {
    const { code, message } = describeFailure(failureOf(() => statSync('/no/such/file')));
    expect(code).toBe('internal');
    expect(message).toMatch(/^The system refused: ENOENT.*\/no\/such\/file.*Check that path/);
    expect(message).not.toContain('\n');
  });

  it('of several addresses says what was wrong with the first', () => {
    const refused = Object.assign(new Error('connect ECONNREFUSED ::1:5432'), { syscall: 'connect' });
    expect(describeFailure(new AggregateError([refused])).message).toContain('ECONNREFUSED ::1:5432');
  });

  it('of the program is told without a stack', () => {
    const { message } = describeFailure(new TypeError('x is not a function'));
    expect(message).toContain('x is not a function');
    expect(message).not.toMatch(/\n|\.ts|\.js:/);
  });
});
