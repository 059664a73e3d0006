import { loadCrypto } from '@coferment/crypto';
import { beforeAll, expect, it } from 'vitest';
import { inTraining } from '../rounds/opened.consortia.fixture.js';
import { verifyJournal } from './journal.verification.js';
import { bytesToHex } from '@coferment/crypto';

beforeAll(loadCrypto);
it('holds', async () => {
  const c = await inTraining();
  await c.wholeSum(c.name('update', 5, 1));
  for (const m of c.members) {
    const { report, entries } = verifyJournal(m.folder, { site: m.site, identityKey: bytesToHex(m.identity.publicKey) });
    console.log(JSON.stringify(report, null, 1), entries.slice(-30).map((e) => JSON.stringify(e).length), entries.slice(-32).map((e)=>e.kind).join());
    expect(report.verdict).toBe('holds');
  }
});
