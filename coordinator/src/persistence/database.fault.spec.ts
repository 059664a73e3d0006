import { describe, expect, it } from 'vitest';
import { QueryFailedError } from 'typeorm';
import { CoordinatorError } from '../errors/index.js';
import { databaseFaultOf, databaseRefusal } from './database.fault.js';

const coded = (code: string, message = 'the words of the server') => Object.assign(new Error(message), { code });
const failed = (cause: Error) => new QueryFailedError('SELECT secret', [], cause);

describe('a fault of the database', () => {
  it.each([
    ['a server that is shut down', failed(coded('57P01')), 'gone'],
    ['one that is starting', coded('57P03'), 'gone'],
    ['a connection that broke in a query', failed(coded('08006')), 'gone'],
    ['a port where nobody listens', coded('ECONNREFUSED'), 'gone'],
    ['several addresses where nobody listens', new AggregateError([coded('ECONNREFUSED'), coded('ECONNREFUSED')]), 'gone'],
    ['what the driver says of a broken line', failed(new Error('Connection terminated unexpectedly')), 'gone'],
    ['a pool in which no connection comes free', new Error('timeout exceeded when trying to connect'), 'gone'],
    ['a statement that was cancelled for its length', failed(coded('57014')), 'slow'],
    ['a disk that is full', failed(coded('53100')), 'full'],
    ['the embedded one on a full disk', failed(coded('XX000', 'could not extend file "base/1": No space left on device')), 'full'],
    ['a standby', failed(coded('25006')), 'read-only'],
    ['two changes that met', failed(coded('40001')), 'busy'],
  ])('is %s', (_what, error, fault) => expect(databaseFaultOf(error)).toBe(fault));

  it.each([
    ['a constraint that does not hold', failed(coded('23505'))],
    ['a statement with an error', failed(coded('42601'))],
    ['a wrong password', coded('28P01')],
    ['a refusal of the coordinator', new CoordinatorError('unknown-run', 'no')],
    ['no error', undefined],
  ])('is not %s', (_what, error) => expect(databaseFaultOf(error)).toBeUndefined());

  it('is told without the words of server, driver or statement', () => {
    const refusal = databaseRefusal('gone', failed(coded('57P01')));
    expect(refusal).toMatchObject({ code: 'unavailable', message: expect.stringMatching(/does not answer.*Try again/) as string });
    expect(refusal.message).not.toMatch(/secret|words/);
    expect(databaseRefusal('full', undefined).code).toBe('storage-full');
  });
});
