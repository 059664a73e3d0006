import { describe, expect, it } from 'vitest';
import { isMeantForLoopback } from './loopback.js';

describe('a request to loopback', () => {
  it.each(['127.0.0.1:9463', 'localhost:9463', 'LOCALHOST', '[::1]:9463', '127.0.0.1'])('under %s is meant for it', (host) =>
    expect(isMeantForLoopback(host)).toBe(true),
  );

  it.each([undefined, '', 'rebound.example:9463', '127.0.0.1.rebound.example', 'localhost.example', '192.0.2.7', 'localhost:9463:1'])(
    'under %s is not',
    (host) => expect(isMeantForLoopback(host)).toBe(false),
  );
});
