import { encodeVkey, publicKeyFromSeed, verifierKey } from '@coferment/ledger';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { type LedgerFlags, charterOf, ledgerOptions, listeningOf } from './ledger.options.js';

const vkey = encodeVkey(verifierKey('witness', 'witness.example/w', publicKeyFromSeed(new Uint8Array(32).fill(1))));

function parsed(...args: string[]): LedgerFlags {
  const command = ledgerOptions(new Command('start'))
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  return command.parse(args, { from: 'user' }).opts<LedgerFlags>();
}

describe('the options of the ledger', () => {
  it('leave the charter as it is when they are left out', () => {
    expect(charterOf(parsed())).toEqual({});
    expect(listeningOf(parsed())).toBeUndefined();
    expect(parsed().witness).toBeUndefined();
  });

  it('make a charter', () => {
    const flags = parsed(
      '--ledger-readers',
      'anyone',
      '--site-names',
      'pseudonyms',
      '--witness-quorum',
      'majority',
      '--charter-witness',
      vkey,
    );
    expect(charterOf(flags)).toEqual({ ledgerReaders: 'anyone', siteNames: 'pseudonyms', witnessQuorum: 'majority', witnesses: [vkey] });
    expect(charterOf(parsed('--witness-quorum', '0'))).toEqual({ witnessQuorum: 0 });
  });

  it('name witnesses to call, or end that', () => {
    const [a, b] = [`${vkey} https://a.example`, `${vkey} http://b.example:8080/prefix`];
    expect(parsed('--witness', a, '--witness', b).witness).toEqual([a, b]);
    expect(parsed('--witness', 'none').witness).toEqual([]);
  });

  it('name no more witnesses than are kept, nor longer ones', () => {
    const named = (count: number) => Array.from({ length: count }, (_, index) => [`--witness`, `${vkey} https://w${index}.example`]).flat();
    expect(parsed(...named(16)).witness).toHaveLength(16);
    expect(() => parsed(...named(17))).toThrow('At most 16 witnesses');
    expect(() => parsed('--witness', `${vkey} https://w.example/${'x'.repeat(1000)}`)).toThrow('at most 1000');
  });

  it.each([
    ['--witness-quorum', '-1'],
    ['--witness-quorum', '100'],
    ['--witness-quorum', '1.5'],
    ['--witness-quorum', '02'],
    ['--witness-quorum', 'all'],
    ['--ledger-readers', 'everyone'],
    ['--charter-witness', 'witness.example/w'],
    ['--witness', vkey],
    ['--witness', `${vkey} ftp://witness.example`],
    ['--witness', `${vkey} https://witness.example?x=1`],
    ['--witness', `${vkey} https://witness.example more`],
    ['--witness', `${vkey}x https://witness.example`],
  ])('%s %s is refused', (option, value) => {
    expect(() => parsed(`${option}=${value}`)).toThrow(expect.objectContaining({ code: 'commander.invalidArgument' }));
  });

  it('serve over HTTPS with both files, and with an address', () => {
    const all = ['--ledger-listen', '127.0.0.1:0', '--ledger-tls-cert', 'c.pem', '--ledger-tls-key', 'k.pem'];
    expect(listeningOf(parsed(...all))).toEqual({ listen: '127.0.0.1:0', tls: { certificateFile: 'c.pem', keyFile: 'k.pem' } });
    expect(listeningOf(parsed(...all.slice(0, 2)))).toEqual({ listen: '127.0.0.1:0' });
    for (const some of [all.slice(0, 4), all.slice(2), all.slice(4)])
      expect(() => listeningOf(parsed(...some))).toThrow(expect.objectContaining({ code: 'malformed' }));
  });
});
