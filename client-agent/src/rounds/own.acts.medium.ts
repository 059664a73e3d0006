import { signStatement } from '@coferment/consortium';
import { type DsseEnvelope, type Identity, loadCrypto, sha256Hex } from '@coferment/crypto';
import { entryFor } from '@coferment/ledger';
import { beforeAll, describe, expect, it } from 'vitest';
import { AgentError } from '../agent.error.js';
import type { ScriptedConsortium } from './consortium.fixture.js';
import { prepareSum } from './contribution.handlers.js';
import { CONSORTIUM } from './members.fixture.js';
import { codeOf, inTraining } from './opened.consortia.fixture.js';
import { recallOwnActs } from './own.acts.js';
import { PollLoop } from './poll.loop.js';

/** Writes into the ledger what no honest coordinator would. */
function log(
  { board }: ScriptedConsortium,
  envelope: DsseEnvelope,
  signer: Identity,
  change: (entry: string) => string = (entry) => entry,
): void {
  const entry = Buffer.from(change(Buffer.from(entryFor(envelope, signer.publicKey)).toString()));
  board.ledger.push({ index: board.ledger.length, entry, payload: Buffer.from(envelope.payload, 'base64') });
}

function release(consortium: ScriptedConsortium, site: string, signer: Identity): DsseEnvelope {
  const { run, e } = consortium;
  const d = 'd'.repeat(64);
  const share = { consortium: CONSORTIUM, run, e, kind: 'update' as const, sum: 5, k: d, t: d, site, blocks: 1, object: d, merkleRoot: d };
  return signStatement('share', share, signer);
}

beforeAll(loadCrypto);

describe('entries that this site has not signed', () => {
  it('do nothing: forged, unsigned, from somebody else, for another consortium, or no entries at all', async () => {
    const consortium = await inTraining();
    const { run, e } = consortium;
    const [a, b] = [consortium.member('a'), consortium.member('b')];
    const own = release(consortium, 'a', a.identity);
    const d = 'd'.repeat(64);
    // The payload changed after it was signed.
    log(consortium, own, a.identity);
    consortium.board.ledger.at(-1)!.payload = Buffer.from(release(consortium, 'a', b.identity).payload, 'base64').subarray(1);
    // A signature of nothing, and one by somebody else, under this site's key.
    log(consortium, own, a.identity, (entry) =>
      entry.replace(/"content":"[^"]+"/, `"content":"${Buffer.alloc(64, 1).toString('base64')}"`),
    );
    const foreign = release(consortium, 'a', b.identity);
    log(consortium, foreign, b.identity, (entry) =>
      entry.replace(/"rawBytes":"[^"]+"/, /"rawBytes":"[^"]+"/.exec(Buffer.from(entryFor(own, a.identity.publicKey)).toString())![0]),
    );
    // Somebody else's act with this site's name, well signed.
    log(consortium, foreign, b.identity);
    // This site's own signatures on what is not its business here.
    const elsewhere = { consortium: 'elsewhere', run, epoch: 1, e0: d, dealer: 'b', site: 'a', dealing: d };
    log(consortium, signStatement('dealing-ack', elsewhere, a.identity), a.identity);
    log(consortium, signStatement('dealing-ack', { ...elsewhere, consortium: CONSORTIUM, site: 'b' }, a.identity), a.identity);
    log(
      consortium,
      signStatement('round-stuck', { consortium: CONSORTIUM, run, e, kind: 'update', sum: 5, round: 1, reason: '' }, a.identity),
      a.identity,
    );
    // Signed by this site, but only for the way to the coordinator, so that its journal keeps no copy.
    await prepareSum(a, { name: consortium.name('update', 5, 1) });
    log(consortium, consortium.board.all('nonce').at(-1)!, a.identity);
    const index = consortium.board.ledger.length;
    consortium.board.ledger.push({ index, entry: Buffer.from('{"no":"entry"}'), payload: Buffer.alloc(0) });

    // An entry that is remembered, with a payload that nobody has signed beside it.
    const remembered = consortium.board.ledger.find(({ payload }) => a.journal.statements.has(sha256Hex(payload)))!;
    consortium.board.ledger.push({ ...remembered, index: index + 1, payload: Buffer.from(own.payload, 'base64') });

    await recallOwnActs(a);
    expect(a.journal.ownActs.deadEpochs()).toEqual([]);
    expect(a.journal.runs.get(run)?.state).toBe('approved');
    const frozen = await consortium.contribute(consortium.name('update', 5, 1));
    await consortium.open(frozen, await consortium.certify([frozen]));

    // The same act with its true signature is what ends the epoch.
    log(consortium, release(consortium, 'a', a.identity), a.identity);
    await recallOwnActs(a);
    expect(a.journal.ownActs.whyDead(run, 1)).toMatch(/\(share\)/);
  });
});

describe('reading the ledger', () => {
  it('goes on where it stopped, and finds an honest restart in order', async () => {
    const consortium = await inTraining();
    await recallOwnActs(consortium.member('a'));
    const { entries } = consortium.member('a').journal.ownActs.position();
    expect(entries).toBe(consortium.board.ledger.length);
    await consortium.wholeSum(consortium.name('update', 5, 1));
    const a = consortium.restart('a');
    const asked: number[][] = [];
    const ledgerEntries = a.port.ledgerEntries.bind(a.port);
    a.port.ledgerEntries = (start, limit) => {
      asked.push([start, limit]);
      return ledgerEntries(start, limit);
    };
    await recallOwnActs(a);
    expect(asked[0]).toEqual([entries - 1, 1]);
    expect(asked[1]?.[0]).toBe(entries);
    expect(a.journal.ownActs.position().entries).toBe(consortium.board.ledger.length);
    expect(a.journal.ownActs.deadEpochs()).toEqual([]);
  });

  it('begins anew when another entry stands where it stopped', async () => {
    const consortium = await inTraining();
    const a = consortium.member('a');
    await recallOwnActs(a);
    const { entries } = a.journal.ownActs.position();
    a.journal.ownActs.moveTo({ entries, lastEntry: 'f'.repeat(64) });
    const starts: number[] = [];
    const ledgerEntries = a.port.ledgerEntries.bind(a.port);
    a.port.ledgerEntries = (start, limit) => {
      starts.push(start);
      return ledgerEntries(start, limit);
    };
    await recallOwnActs(a);
    expect(starts[1]).toBe(0);
  });

  it('takes a page with other entries than it asked for as none', async () => {
    const consortium = await inTraining();
    const a = consortium.member('a');
    const entries = consortium.board.ledger;
    for (const page of [entries.slice(1, 9), [...entries.slice(0, 60), ...entries.slice(0, 60)], [entries[0]!, entries[0]!]]) {
      a.port.ledgerEntries = () => Promise.resolve(page);
      expect(await codeOf(recallOwnActs(a))).toBe('malformed-response');
      expect(a.journal.ownActs.position().entries).toBe(0);
    }
  });

  it('comes before everything else: while it fails, nothing is polled', async () => {
    const consortium = await inTraining();
    const a = consortium.member('a');
    const stop = new AbortController();
    const asked: string[] = [];
    const ledgerEntries = a.port.ledgerEntries.bind(a.port);
    a.port.poll = () => {
      asked.push('poll');
      stop.abort();
      return Promise.resolve({ instructions: [], runs: [], owed: '', coordinatorTimeMs: 0, authorities: 0 });
    };
    a.port.ledgerEntries = (start, limit) => {
      asked.push('ledger');
      return asked.length === 1 ? Promise.reject(new AgentError('unreachable', 'the line is cut')) : ledgerEntries(start, limit);
    };
    await new PollLoop(a, {
      waitMs: 100,
      renew: () => Promise.resolve(),
      authorities: () => 0,
      newAuthorities: () => undefined,
      explain: () => Promise.resolve(),
    }).run(stop.signal);
    expect(asked.slice(0, 2)).toEqual(['ledger', 'ledger']);
    expect(asked.indexOf('poll')).toBeGreaterThan(1);
  });
});
