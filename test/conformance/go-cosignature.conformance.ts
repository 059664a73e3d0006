import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appendSignatures, cosign, encodeVkey, publicKeyFromSeed, signCheckpoint, verifierKey } from '@coferment/ledger';
import { afterAll, describe, expect, it } from 'vitest';
import { buildGo, goCosignature } from './go.programs.js';

/** transparency.dev's own code reads our cosignatures (C2SP tlog-cosignature), and refuses changed ones. */
const work = mkdtempSync(join(tmpdir(), 'go-cosignature-'));
const verifier = join(work, 'go-cosignature');
const absent = buildGo(goCosignature, verifier);
if (absent) console.warn(`Skipped, cross-check of cosignatures: ${absent}.`);
afterAll(() => rmSync(work, { recursive: true }));

const ORIGIN = 'ledger.example/fermentation-a';
const witnesses = ['alpha', 'bravo', 'charlie'].map((site, index) => ({ name: `${ORIGIN}/${site}`, seed: Buffer.alloc(32, index + 1) }));
const vkeyOf = ({ name, seed }: { name: string; seed: Uint8Array }) => encodeVkey(verifierKey('witness', name, publicKeyFromSeed(seed)));
const signed = signCheckpoint({ origin: ORIGIN, size: 1234n, root: new Uint8Array(32).fill(7) }, Buffer.alloc(32, 99));
const text = signed.slice(0, signed.indexOf('\n\n') + 1);
const times = [0n, 1_790_000_000n, (1n << 33n) + 5n];
const cosignatures = witnesses.map((witness, index) => cosign(text, times[index]!, witness));
const note = appendSignatures(signed, cosignatures);

type Answer = { name: string; time: number }[] | null;

function askGo(notes: readonly string[], vkeys = witnesses.map(vkeyOf)): Answer[] {
  const { status, stdout, stderr } = spawnSync(verifier, { input: JSON.stringify({ notes, vkeys }), encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Answer[];
}

describe.skipIf(absent)(`github.com/transparency-dev/formats${absent && ` (skipped: ${absent})`}`, () => {
  it('accepts our cosignatures, each with its time', () => {
    expect(askGo([note])).toEqual([witnesses.map(({ name }, index) => ({ name, time: Number(times[index]) }))]);
    expect(askGo([note], [vkeyOf(witnesses[1]!)])).toEqual([[{ name: witnesses[1]!.name, time: Number(times[1]) }]]);
  });

  it("does not take the log's own signature for a cosignature", () => {
    expect(askGo([signed], [encodeVkey(verifierKey('log', ORIGIN, publicKeyFromSeed(Buffer.alloc(32, 99))))])).toEqual([null]);
  });

  const [first] = cosignatures;
  const only = (bytes: Uint8Array, name = first!.name) => appendSignatures(signed, [{ ...first!, name, bytes }]);
  const changed = (at: number) => only(first!.bytes.with(at, first!.bytes[at]! ^ 1));
  it.each([
    ['another time', changed(7)],
    ['one changed bit', changed(40)],
    ['a signature that is cut', only(first!.bytes.subarray(0, -1))],
    ['no time', only(first!.bytes.subarray(8))],
    ["another witness's signature", only(cosignatures[1]!.bytes)],
    ['another size', note.replace('\n1234\n', '\n1235\n')],
    ['another root', note.replace(/\n[^\n]{44}\n/, `\n${Buffer.alloc(32).toString('base64')}\n`)],
    ['another origin', note.replace(ORIGIN, 'ledger.example/b')],
    ['a signature over the text without its purpose', appendSignatures(signed, [cosign(`${text}more\n`, times[0]!, witnesses[0]!)])],
    ['no cosignature', signed],
  ])('refuses a checkpoint with %s', (_, tampered) => {
    expect(askGo([only(first!.bytes), tampered])).toEqual([[{ name: first!.name, time: 0 }], null]);
  });
});
