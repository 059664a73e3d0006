import { describe, expect, it } from 'vitest';
import { dialledAddress } from './agent.address.js';

describe('the address in an invite', () => {
  it('is what the operator says, else where the coordinator listens', () => {
    expect(dialledAddress('coordinator.example:7443', '0.0.0.0:7443')).toBe('coordinator.example:7443');
    expect(dialledAddress('', '127.0.0.1:7443')).toBe('127.0.0.1:7443');
  });
  it.each(['coordinator.example', 'a b:1', ':7443', 'x:123456'])('is refused when it is "%s"', (wanted) => {
    expect(() => dialledAddress(wanted, '127.0.0.1:1')).toThrow('host:port');
  });
  it.each(['0.0.0.0:7443', '[::]:7443'])('cannot be %s', (listening) => {
    expect(() => dialledAddress('', listening)).toThrow('--address');
  });
});
