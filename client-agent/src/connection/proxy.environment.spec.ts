import { describe, expect, it } from 'vitest';
import { basicAuthorization, chooseRoute, type Proxy } from './proxy.environment.js';

const destination = { host: 'coordinator.example', port: 7443 };
const SECRET = 'pa55-w0rd';

function proxyOf(environment: Record<string, string>): Proxy {
  const route = chooseRoute(destination, environment);
  if (route.kind !== 'proxy') throw new Error(`direct: ${route.reason}`);
  return route.proxy;
}

describe('a proxy in the environment', () => {
  it.each([
    ['http://proxy.example:3128', 'proxy.example', 3128],
    ['http://proxy.example', 'proxy.example', 80],
    ['proxy.example:3128', 'proxy.example', 3128],
    ['proxy:8080/', 'proxy', 8080],
    ['192.0.2.1:3128', '192.0.2.1', 3128],
    ['http://[2001:db8::1]:3128', '2001:db8::1', 3128],
    ['HTTP://proxy.example:3128', 'proxy.example', 3128],
    ['  http://proxy.example:3128  ', 'proxy.example', 3128],
  ])('%s is asked at %s port %i', (value, host, port) => {
    expect(proxyOf({ HTTPS_PROXY: value })).toMatchObject({ address: { host, port } });
  });

  it('in lower case wins over upper case, and an empty value is none', () => {
    expect(proxyOf({ HTTPS_PROXY: 'http://a:1', https_proxy: 'http://b:2' }).address.host).toBe('b');
    expect(proxyOf({ HTTPS_PROXY: 'http://a:1', https_proxy: '' }).address.host).toBe('a');
    expect(chooseRoute(destination, { HTTPS_PROXY: ' ', HTTP_PROXY: 'http://a:1' })).toMatchObject({ kind: 'direct' });
  });

  it.each([
    ['http://anna:secret@proxy:3128', 'anna:secret'],
    ['anna:secret@proxy:3128', 'anna:secret'],
    ['http://anna%40plant:s%3Ae%2Fc%25r@proxy:3128', 'anna@plant:s:e/c%r'],
    ['http://anna:50%25@proxy:3128', 'anna:50%'],
    ['http://anna:50%zz@proxy:3128', 'anna:50%zz'],
    ['http://anna@proxy:3128', 'anna:'],
    ['http://ann%C3%A4:s@proxy:3128', 'annä:s'],
  ])('with a login, %s, gives it decoded', (value, credentials) => {
    expect(proxyOf({ HTTPS_PROXY: value }).credentials).toBe(credentials);
  });

  it('is named without its login', () => {
    const { name } = proxyOf({ HTTPS_PROXY: `http://anna:${SECRET}@proxy:3128` });
    expect(name).toBe('the proxy http://proxy:3128 (HTTPS_PROXY)');
  });

  it.each([
    `https://anna:${SECRET}@proxy:3128`,
    `socks5://anna:${SECRET}@proxy:1080`,
    `http://anna:${SECRET}@`,
    `http://anna:${SECRET}@proxy:99999`,
    `http://anna:${SECRET}/@proxy:3128`,
    `http://anna:${SECRET}%0d%0aX-Header@proxy:3128`,
    `http://anna ${SECRET}@@:proxy`,
    `http://anna:1/${SECRET}@proxy:3128`,
    `http://anna:1?${SECRET}@proxy:3128`,
    `http://anna:1#${SECRET}@proxy:3128`,
  ])('that cannot be used is refused by the name of its variable, never by its value: %#', (value) => {
    const attempt = () => chooseRoute(destination, { HTTPS_PROXY: value });
    expect(attempt).toThrow(expect.objectContaining({ code: 'proxy-malformed', message: expect.stringContaining('HTTPS_PROXY') }));
    expect(attempt).not.toThrow(SECRET);
    expect(attempt).not.toThrow('anna');
  });

  it('is told user and password in base64, as RFC 7617 has it', () => {
    // The example of section 2 of the RFC, and of 2.1 for characters beyond ASCII.
    expect(basicAuthorization('Aladdin:open sesame')).toBe('Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==');
    expect(basicAuthorization('test:123£')).toBe('Basic dGVzdDoxMjPCow==');
  });

  it('is not asked for an IPv6 number, and the way out is named', () => {
    const six = { host: '2001:db8::7', port: 7443 };
    expect(() => chooseRoute(six, { HTTPS_PROXY: 'proxy:1' })).toThrow(/an address with a name, or put 2001:db8::7 into NO_PROXY/);
    expect(chooseRoute(six, { HTTPS_PROXY: 'proxy:1', NO_PROXY: '2001:db8::/32' }).kind).toBe('direct');
  });
});

describe('a host that needs no proxy', () => {
  const kindOf = (host: string, list: string, port = 7443) =>
    chooseRoute({ host, port }, { HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: list }).kind;

  it.each([
    ['coordinator.example', 'coordinator.example'],
    ['coordinator.example', 'localhost, coordinator.example'],
    ['coordinator.example', 'localhost coordinator.example'],
    ['coordinator.example', 'COORDINATOR.example'],
    ['Coordinator.Example', 'coordinator.example'],
    ['coordinator.example.', 'coordinator.example'],
    ['coordinator.example', '.example'],
    ['coordinator.example', 'example'],
    ['coordinator.example', '*.example'],
    ['coordinator.example', '*'],
    ['coordinator.example', 'coordinator.example:7443'],
    ['192.0.2.7', '192.0.2.7'],
    ['192.0.2.7', '192.0.2.0/24'],
    ['192.0.2.7', '192.0.2.7:7443'],
    ['2001:db8::7', '[2001:db8::7]:7443'],
    ['2001:db8::7', '2001:db8:0:0::7'],
    ['2001:db8::7', '2001:db8::/32'],
    ['localhost', 'other'],
    ['127.0.0.1', 'other'],
    ['127.9.9.9', 'other'],
    ['::1', 'other'],
  ])('%s is dialled directly with NO_PROXY "%s"', (host, list) => expect(kindOf(host, list)).toBe('direct'));

  it.each([
    ['coordinator.example', ''],
    ['coordinator.example', 'localhost,,other'],
    ['coordinator.example', 'ordinator.example'],
    ['coordinator.example', 'below.coordinator.example'],
    ['coordinator.example', 'coordinator.example:443'],
    ['coordinator.example', '.'],
    ['coordinator.example', '192.0.2.0/24'],
    ['192.0.2.7', '192.0.3.0/24'],
    ['192.0.2.7', '192.0.2.0/99'],
    ['192.0.2.7', '2.7'],
    ['192.0.2.7', '192.0.2.7:443'],
  ])('%s goes through the proxy with NO_PROXY "%s"', (host, list) => expect(kindOf(host, list)).toBe('proxy'));

  it('says which variable was believed', () => {
    expect(chooseRoute(destination, { https_proxy: 'p:1', no_proxy: '*', NO_PROXY: 'x' })).toEqual({
      kind: 'direct',
      reason: 'no_proxy names coordinator.example',
    });
  });
});
