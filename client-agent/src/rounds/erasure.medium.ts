import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { peekStatement, signStatement } from '@coferment/consortium';
import { deal, loadCrypto, openDealingShare } from '@coferment/crypto';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { copyFolder } from '../testing/folder.copy.fixture.js';
import { EpochSecrets } from '../keys/epoch.secrets.js';
import { KeyStore } from '../keys/key.store.js';
import type { ScriptedConsortium } from './consortium.fixture.js';
import type { Member } from './members.fixture.js';
import { inTraining, openConsortium } from './opened.consortia.fixture.js';
import { closeRun } from './publication.handlers.js';
import { forgetEpochsBefore, leaveEpoch } from './run.departure.js';
import { sealingKeyOf } from './run.facts.js';
import { temporaryFolder } from '../testing/temporary.folder.fixture.js';

vi.mock('@coferment/crypto', async (original) => {
  const actual = await original<typeof import('@coferment/crypto')>();
  return { ...actual, deal: vi.fn(actual.deal) };
});

const PASSPHRASE = 'correct horse battery';
async function afterAnUpload(): Promise<ScriptedConsortium> {
  const consortium = await inTraining();
  await consortium.contribute(consortium.name('update', 5, 1));
  return consortium;
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** Stretches of what lies encrypted on the disk: with the passphrase, each record that is still there would open. */
function sealedPieces({ folder }: Member): Buffer[] {
  const database = new DatabaseSync(join(folder, 'journal.sqlite'), { readOnly: true });
  const vectors = database.prepare('SELECT sealed FROM sealed_vectors').all() as { sealed: Uint8Array }[];
  database.close();
  const records = filesIn(join(folder, 'keys', 'epochs')).map((file) => readFileSync(file));
  return [...records, ...vectors.map(({ sealed }) => Buffer.from(sealed))].flatMap((bytes) =>
    [0, 0.3, 0.6, 0.9].map((at) => bytes.subarray(Math.floor(at * bytes.length)).subarray(0, 40)).filter((piece) => piece.length > 20),
  );
}

function steal({ folder }: Member): string {
  const stolen = join(temporaryFolder('agent-stolen'), 'data');
  copyFolder(folder, stolen);
  return stolen;
}

function holding(folder: string, pieces: readonly Buffer[]): string[] {
  return filesIn(folder).filter((file) => {
    const bytes = readFileSync(file);
    return pieces.some((piece) => bytes.includes(piece));
  });
}

/** Opens with a stolen folder what the coordinator has stored: the boxes of all dealings. Returns how many opened. */
function openedBoxes(consortium: ScriptedConsortium, folder: string, holder: string): number {
  const secrets = new EpochSecrets(KeyStore.open(join(folder, 'keys'), PASSPHRASE), consortium.run, 1);
  return consortium.board.latest('dealing').filter((envelope) => {
    const { predicate } = peekStatement(envelope) as { predicate: { site: string; boxes: { holder: string; object: string }[] } };
    const box = consortium.board.objects.get(predicate.boxes.find((entry) => entry.holder === holder)!.object)!;
    const label = { e0: consortium.e0, dealer: predicate.site, holder };
    try {
      openDealingShare(label, box, sealingKeyOf(consortium.roster, predicate.site), secrets.sealingKey());
      return true;
    } catch {
      return false;
    }
  }).length;
}

beforeAll(loadCrypto);

describe('a dealing', () => {
  it('leaves no mask, share or key in memory that it was given', async () => {
    const consortium = openConsortium();
    consortium.openEpoch();
    await consortium.ceremony();
    const dealt = vi.mocked(deal).mock.results.flatMap((result) => (result.type === 'return' ? [result.value] : []));
    expect(dealt).toHaveLength(3);
    for (const { privateShares, secretKey } of dealt) {
      for (const secret of [...privateShares, secretKey]) expect(secret.every((byte) => byte === 0)).toBe(true);
    }
  });
});

describe('the stolen data folder of a site and its passphrase', () => {
  it.each(['completed', 'aborted', 'failed'] as const)('open nothing of an epoch once its run is %s', async (status) => {
    const consortium = await afterAnUpload();
    const { run, operator } = consortium;
    const a = consortium.member('a');
    const pieces = sealedPieces(a);
    expect(pieces.length).toBeGreaterThan(20);
    const early = steal(a);
    expect(holding(early, pieces).length).toBeGreaterThan(5);
    expect(openedBoxes(consortium, early, 'a')).toBe(3);

    const closed = { consortium: 'acme', run, status, rounds: 1, model: 'none', contributions: [] };
    await closeRun(a, { run, closing: signStatement('run-closed', closed, operator) });
    const late = steal(a);
    expect(holding(late, pieces)).toEqual([]);
    expect(openedBoxes(consortium, late, 'a')).toBe(0);
    const secrets = new EpochSecrets(KeyStore.open(join(late, 'keys'), PASSPHRASE), run, 1);
    // Without s_i no upload of this site opens, without the shares and the noise key none of anybody.
    for (const read of [() => secrets.secretKey(), () => secrets.noiseKey(), () => secrets.keyShare('a'), () => secrets.keyShare('b')])
      expect(read).toThrow();
    expect(
      filesIn(join(late, 'objects')).filter((file) => a.journal.statements.objects(run).some((object) => file.endsWith(object))),
    ).toEqual([]);
  });

  it('open nothing of an epoch that this site has left, or that was followed by another', async () => {
    const consortium = await afterAnUpload();
    const { run } = consortium;
    const [a, b] = [consortium.member('a'), consortium.member('b')];
    const keysOf = (member: Member) => filesIn(join(member.folder, 'keys')).filter((file) => file.includes('epochs'));
    const ownObjects = (member: Member) =>
      member.journal.statements.objects(run).filter((object) => member.objects.read(object) !== undefined);

    leaveEpoch(a, run, 1, 'for a test.');
    expect(keysOf(a)).toEqual([]);
    expect(ownObjects(a)).toEqual([]);
    expect(openedBoxes(consortium, steal(a), 'a')).toBe(0);

    const before = b.journal.runs.epoch(run, 1)!;
    b.journal.runs.openEpoch({ ...before, epoch: 2, e0: 'f'.repeat(64) });
    new EpochSecrets(b.store, run, 2).drawNoiseKey();
    forgetEpochsBefore(b, run, 2);
    expect(keysOf(b).map((file) => file.slice(file.indexOf(run)))).toEqual([`${run}/2/noise.sealed`]);
    expect(ownObjects(b)).toEqual([]);
    expect(openedBoxes(consortium, steal(b), 'b')).toBe(0);
    // Vectors stay for the next epoch: a sum that is unfinished is completed with the same ones.
    const { plan } = b.journal.runs.get(run)!;
    const { modelIn } = consortium.contextOf(consortium.frozen(consortium.name('update', 5, 1)));
    expect(b.journal.rounds.vector(plan, 'update', modelIn)).toBeDefined();
  });
});
