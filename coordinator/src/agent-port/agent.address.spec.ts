import { describe, expect, it } from 'vitest';
import { dialledAddress, listeningAddress, localAddress } from './agent.address.js';

describe('the address in an invite', () => {
  it('is what the operator says, else where the coordinator listens', () => {
    expect(dialledAddress('coordinator.example:7443', '0.0.0.0:7443')).toBe('coordinator.example:7443');
    expect(dialledAddress('', '127.0.0.1:7443')).toBe('127.0.0.1:7443');
    expect(dialledAddress('[2001:db8::7]:7443', '[::]:7443')).toBe('[2001:db8::7]:7443');
    expect(dialledAddress('', '[::1]:7443')).toBe('[::1]:7443');
  });
  it.each(['coordinator.example', 'a b:1', ':7443', 'x:123456', '::1:7443', '0.0.0.0:7443', 'coordinator.example:0'])(
    'is refused when it is "%s"',
    (wanted) => {
      expect(() => dialledAddress(wanted, '127.0.0.1:1')).toThrow('host:port');
    },
  );
  it.each(['0.0.0.0:7443', '[::]:7443'])('cannot be %s', (listening) => {
    expect(() => dialledAddress('', listening)).toThrow('--address');
  });
});

describe('the address to listen on', () => {
  it.each([
    ['127.0.0.1:0', '127.0.0.1:7443'],
    ['[::]:0', '[::]:7443'],
    ['[::1]:7443', '[::1]:7443'],
  ])('may be %s', (wanted, told) => expect(listeningAddress(wanted).on(7443)).toBe(told));
  it.each(['::1:7443', 'localhost', ':7443', '[::]'])('is refused when it is "%s"', (wanted) => {
    expect(() => listeningAddress(wanted)).toThrow(/\[::\]:7443 for every address/);
  });
});

describe('the operator on the same machine', () => {
  it.each([
    ['0.0.0.0:7443', '127.0.0.1:7443'],
    ['[::]:7443', '[::1]:7443'],
    ['[2001:db8::7]:7443', '[2001:db8::7]:7443'],
    ['127.0.0.1:7443', '127.0.0.1:7443'],
  ])('dials a coordinator on %s at %s', (listening, dialled) => expect(localAddress(listening)).toBe(dialled));
});
