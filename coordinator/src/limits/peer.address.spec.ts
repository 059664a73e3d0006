import { describe, expect, it } from 'vitest';
import { networkOfPeer } from './peer.address.js';

describe('whom a call is counted for', () => {
  it.each([
    ['', ''],
    ['unknown', ''],
    ['192.0.2.7:40112', '192.0.2.7'],
    ['::ffff:192.0.2.7:40112', '192.0.2.7'],
    ['::1:40112', '0:0:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6:443', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::9:443', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9:443', '2001:db8:1:2::/64'],
    ['2001:db8::9:443', '2001:db8:0:0::/64'],
    ['fe80::1%eth0:443', 'fe80:0:0:0::/64'],
  ])('of %j is %j', (peer, network) => {
    expect(networkOfPeer(peer)).toBe(network);
  });
});
