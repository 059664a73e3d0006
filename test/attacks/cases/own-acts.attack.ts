/*
 * Cases 5 and 20. A site was put back to a backup that does not know what it has signed since. The coordinator has kept all of it and asks again, for another
 * set. And the other way round: who writes into the ledger forges acts of a site, to make it believe that it was restored and leave.
 */
import { signStatement } from '@coferment/consortium';
import { type DsseEnvelope, generateIdentity, type Identity, loadCrypto } from '@coferment/crypto';
import { entryFor } from '@coferment/ledger';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FrozenSum } from '../../../client-agent/src/connection/instruction.parser.js';
import { encrypt, prepareSum } from '../../../client-agent/src/rounds/contribution.handlers.js';
import { CONSORTIUM } from '../../../client-agent/src/rounds/members.fixture.js';
import { attest, releaseShare } from '../../../client-agent/src/rounds/opening.handlers.js';
import { recallOwnActs } from '../../../client-agent/src/rounds/own.acts.js';
import { attack, AttackedConsortium, closeAll, imageOf, refusedWith, relive } from './attacked.consortium.fixture.js';

let consortium: AttackedConsortium;
let whole: FrozenSum;
let withoutD: FrozenSum;
let backup: string;

beforeAll(async () => {
  await loadCrypto();
  consortium = await AttackedConsortium.inTraining();
  whole = await consortium.contribute(consortium.update());
  withoutD = consortium.frozen(consortium.update(), ['a', 'b', 'c']);
  backup = imageOf(consortium.member('a'));
  await attest(consortium.member('a'), { sums: [whole] });
  consortium.checkpoint();
});
beforeEach(() => consortium.rewind());
afterAll(closeAll);

describe('a site put back to between its upload and its signature', () => {
  it('finds its signature in the ledger: it signs no second set, and opens and encrypts nothing more', async () => {
    const a = relive(consortium.member('a'), backup);
    await recallOwnActs(a);
    const certificate = ['b', 'c', 'd'].map((site) => consortium.corruptAttestation(site, withoutD));
    const name = consortium.update(consortium.firstUpdate, 1, 2);
    for (const work of [
      () => attest(a, { sums: [withoutD] }),
      () => attest(a, { sums: [whole] }),
      () => releaseShare(a, { frozen: withoutD, certificate }),
      () => prepareSum(a, { name }),
      () => encrypt(a, { name, nonces: [] }),
    ])
      expect(await attack(consortium.board, a, work)).toEqual(refusedWith('epoch-dead'));
  });

  it('LIMIT: under a coordinator that hides the ledger from it too, it counts as one site more that is corrupt', async () => {
    const a = relive(consortium.member('a'), backup);
    consortium.board.ledger.splice(0);
    await recallOwnActs(a);
    expect(await attack(consortium.board, a, () => attest(a, { sums: [withoutD] }))).toMatchObject({
      code: 'no refusal',
      sent: ['attestation'],
    });
  });
});

describe('acts of a site that it never made', () => {
  const keyOf = (envelope: DsseEnvelope, key: Identity) =>
    /"rawBytes":"[^"]+"/.exec(Buffer.from(entryFor(envelope, key.publicKey)).toString())![0];
  const forged = (envelope: DsseEnvelope, key: Identity, change: (entry: string) => string = (entry) => entry) => {
    const { ledger } = consortium.board;
    const entry = Buffer.from(change(Buffer.from(entryFor(envelope, key.publicKey)).toString()));
    ledger.push({ index: ledger.length, entry, payload: Buffer.from(envelope.payload, 'base64') });
  };
  const released = (signer: Identity) => {
    const d = 'd'.repeat(64);
    const { run, e } = consortium;
    const share = {
      consortium: CONSORTIUM,
      run,
      e,
      kind: 'update' as const,
      sum: 6,
      k: d,
      t: d,
      site: 'a',
      blocks: 1,
      object: d,
      merkleRoot: d,
    };
    return signStatement('share', share, signer);
  };

  it('do not kill its epoch, whoever signs them, also under its own key; its true one does', async () => {
    const a = consortium.member('a');
    const [b, nobody] = [consortium.member('b').identity, generateIdentity()];
    const unsigned = (entry: string) => entry.replace(/"content":"[^"]+"/, `"content":"${Buffer.alloc(64, 1).toString('base64')}"`);
    forged(released(b), b);
    forged(released(nobody), nobody);
    forged(released(b), b, (entry) => entry.replace(/"rawBytes":"[^"]+"/, keyOf(released(a.identity), a.identity)));
    forged(released(a.identity), a.identity, unsigned);
    forged(released(consortium.operator), consortium.operator);
    await recallOwnActs(a);
    expect(a.journal.ownActs.deadEpochs()).toEqual([]);
    await attest(consortium.member('b'), { sums: [whole] });
    await attest(consortium.member('c'), { sums: [whole] });
    const certificate = consortium.attestationsOver(consortium.contextOf(whole).t);
    expect(await attack(consortium.board, a, () => releaseShare(a, { frozen: whole, certificate }))).toMatchObject({ code: 'no refusal' });
    forged(released(a.identity), a.identity);
    await recallOwnActs(a);
    expect(a.journal.ownActs.deadEpochs()).toHaveLength(1);
  });
});
