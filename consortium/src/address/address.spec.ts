import { describe, expect, it } from 'vitest';
import { addressSchema, dialableAddress, formatAddress, isEverywhere, parseAddress } from './address.js';

describe('an address', () => {
  it.each([
    ['coordinator.example:7443', 'coordinator.example', 7443],
    ['plant_server:1', 'plant_server', 1],
    ['a:0', 'a', 0],
    ['192.0.2.7:65535', '192.0.2.7', 65_535],
    ['[::1]:7443', '::1', 7443],
    ['[2001:db8::7]:443', '2001:db8::7', 443],
    ['[::ffff:192.0.2.7]:443', '::ffff:192.0.2.7', 443],
  ])('%s is read and written back', (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port });
    expect(formatAddress({ host, port })).toBe(text);
  });

  it.each([
    '',
    ':7443',
    'coordinator.example',
    'coordinator.example:',
    'coordinator.example:65536',
    'coordinator.example:-1',
    'coordinator.example:7443 ',
    'a b:1',
    'x:123456',
    '::1:7443',
    '2001:db8::7:443',
    '[::1]',
    '[::1]7443',
    '[1:2:3]:7443',
    '[:::1]:7443',
    '[fe80::1%eth0]:7443',
    '[coordinator.example]:7443',
    'https://coordinator.example:7443',
    'user@coordinator.example:7443',
    'coordinator.example/path:7443',
    'coordinator.example:7443\n',
    `${'a'.repeat(300)}:7443`,
  ])('is not "%s"', (text) => expect(parseAddress(text)).toBeUndefined());

  it.each(['0.0.0.0:7443', '[::]:7443', '[0:0:0:0:0:0:0:0]:7443'])('%s can be listened on and not dialled', (text) => {
    expect(isEverywhere(parseAddress(text)!)).toBe(true);
    expect(dialableAddress(text)).toBeUndefined();
  });

  it('is dialled on a port that is not 0', () => {
    expect(dialableAddress('localhost:0')).toBeUndefined();
    expect(isEverywhere(parseAddress('[::1]:1')!)).toBe(false);
  });

  it('that is wrong in a file is refused with two examples', () => {
    expect(addressSchema.safeParse('::1:7443').error?.issues[0]?.message).toMatch(/coordinator\.example:7443 or \[2001:db8::7\]:7443/);
    expect(addressSchema.parse('[::1]:7443')).toBe('[::1]:7443');
  });
});
