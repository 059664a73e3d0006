import { signCheckpoint } from '@coferment/ledger';
import { GetLedgerStatusResponse, type WitnessStatus } from '@coferment/proto';
import { describe, expect, it } from 'vitest';
import { ledgerJson, ledgerText } from './ledger.text.js';

const note = (size: number) =>
  signCheckpoint({ origin: 'ledger.example/acme', size: BigInt(size), root: new Uint8Array(32) }, new Uint8Array(32).fill(1));
const site = (name: string, cosignedSize: number): Partial<WitnessStatus> => ({
  vkey: `ledger.example/acme/${name}+0+k`,
  site: name,
  counts: true,
  cosignedSize,
  cosignedMs: cosignedSize === 0 ? 0 : Date.UTC(2026, 10, 29, 12, 0, 5),
});
const status = (fields: Partial<GetLedgerStatusResponse>) =>
  GetLedgerStatusResponse.fromPartial({ size: 12, offered: note(10), witnessed: note(8), published: note(8), quorum: 2, ...fields });

describe('the status of the ledger', () => {
  it('names who is waited for, and until when', () => {
    const waiting = status({
      cosigned: 1,
      untilMs: Date.UTC(2026, 10, 29, 12, 0, 9),
      witnesses: [site('a', 10), site('b', 8), site('c', 0)] as WitnessStatus[],
    });
    expect(ledgerText(waiting)).toBe(
      [
        'signed       12 entries',
        'cosigned     8 entries by 2 or more witnesses; receipts are given under this checkpoint',
        'published    8 entries; the ledger is not served over HTTP',
        'now offered  10 entries: 1 of 2 cosignatures; waiting for b, c; the next is offered at 2026-11-29 12:00:09',
        '',
        'a                    cosigned 10 entries at 2026-11-29 12:00:05',
        'b                    cosigned 8 entries at 2026-11-29 12:00:05, 2 behind',
        'c                    has cosigned nothing of late',
      ].join('\n'),
    );
    expect(ledgerJson(waiting)).toMatchObject({
      offeredSize: 10,
      witnessedSize: 8,
      waitingFor: ['ledger.example/acme/b+0+k', 'ledger.example/acme/c+0+k'],
    });
  });

  it('says when too few witnesses are known, and which sites have no key', () => {
    const alone = ledgerText(status({ witnesses: [site('a', 0)] as WitnessStatus[], sitesWithoutKey: ['b', 'c'], witnessed: '' }));
    expect(alone).toContain('2 cosignatures are needed and 1 witnesses are known, so nobody is waited for and no receipts are given');
    expect(alone).toContain('Without a witness key: b, c.');
    expect(alone).toContain('cosigned     0 entries');
  });

  it('shows no control character of what a called witness answers', () => {
    const guest = { vkey: 'guest.example/w+0+k', counts: true, problem: 'it answered\n\u001b[2Jcosigned\u009b' };
    const text = ledgerText(status({ witnesses: [guest] as WitnessStatus[] }));
    expect(text).toContain('last call failed: it answered<U+000A><U+001B>[2Jcosigned<U+009B>');
  });

  it('shows witnesses that are called, and what is wrong with them', () => {
    const guest = { vkey: 'guest.example/w+0+k', counts: false, url: 'https://guest.example', problem: 'it answered with status 500' };
    const text = ledgerText(
      status({ cosigned: 2, url: 'https://ledger.example', witnesses: [site('a', 10), site('b', 10), guest] as WitnessStatus[] }),
    );
    expect(text).toContain('2 cosignatures, 2 are needed');
    expect(text).toContain('at https://ledger.example/checkpoint');
    expect(text).toContain(
      'guest.example/w      has cosigned nothing of late; does not count: the charter does not name it; called at https://guest.example; last call failed: it answered with status 500',
    );
  });
});
