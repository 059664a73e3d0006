import { describe, expect, it } from 'vitest';
import { monitorAddress } from './monitor.address.js';

describe('the address of the monitoring port', () => {
  it.each(['127.0.0.1:9463', '127.9.9.9:0', '[::1]:9463', 'localhost:9463'])('%s is for this machine', (listen) =>
    expect(monitorAddress({ listen }).address).toBe(listen),
  );

  it.each(['0.0.0.0:9463', '[::]:9463', '192.0.2.7:9463', '127.evil.example:1', '127.0.0.1.example:1', 'monitor.example:9463'])(
    "%s is taken only on the operator's word",
    (listen) => {
      expect(() => monitorAddress({ listen })).toThrow(/--monitor-open/);
      expect(monitorAddress({ listen, open: true }).address).toBe(listen);
    },
  );

  it.each(['', '9463', 'localhost', '127.0.0.1:99999'])('"%s" is none', (listen) =>
    expect(() => monitorAddress({ listen, open: true })).toThrow(/is not an address to listen on/),
  );
});
