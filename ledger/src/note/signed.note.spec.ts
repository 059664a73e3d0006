import { describe, expect, it } from 'vitest';
import { LedgerError } from '../errors/index.js';
import {
  type VerifierKey,
  appendSignatures,
  cosign,
  encodeVkey,
  openNote,
  parseNote,
  parseVkey,
  publicKeyFromSeed,
  signNote,
  verifierKey,
  verifyCosignature,
} from './index.js';

// The published example of golang.org/x/mod/sumdb/note: two verifier keys, one text, one signature of each.
const PETER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const ENOCH = 'EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop';
const PETER_SEED = Buffer.from('AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz', 'base64').subarray(1);
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const PETER_LINE = '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const ENOCH_LINE = '— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n';

const peter = parseVkey(PETER);
const enoch = parseVkey(ENOCH);
const code = (action: () => unknown) => {
  try {
    action();
  } catch (error) {
    return error instanceof LedgerError ? error.code : error;
  }
  return 'accepted';
};

describe('the published signed note', () => {
  it('verifies, and signing it again gives the same bytes', () => {
    const note = openNote(`${TEXT}\n${PETER_LINE}`, [peter]);
    expect(note.text).toBe(TEXT);
    expect(note.verifiedBy).toEqual([peter]);
    expect(signNote(TEXT, { name: 'PeterNeumann', seed: PETER_SEED })).toBe(`${TEXT}\n${PETER_LINE}`);
    expect(Buffer.from(publicKeyFromSeed(PETER_SEED)).equals(peter.publicKey)).toBe(true);
  });

  it('may carry signatures of keys that the reader does not know', () => {
    const both = `${TEXT}\n${PETER_LINE}${ENOCH_LINE}`;
    expect(openNote(both, [peter]).verifiedBy).toEqual([peter]);
    expect(openNote(both, [enoch, peter]).verifiedBy).toEqual([peter, enoch]);
    expect(openNote(both, [enoch, peter]).signatures).toHaveLength(2);
    expect(openNote(Buffer.from(both), [enoch]).verifiedBy).toEqual([enoch]);
  });

  it('counts a key once, however often its line is repeated', () => {
    expect(openNote(`${TEXT}\n${PETER_LINE}${PETER_LINE}`, [peter]).verifiedBy).toEqual([peter]);
  });

  it('is refused when nobody known has signed it', () => {
    expect(code(() => openNote(`${TEXT}\n${PETER_LINE}`, [enoch]))).toBe('no-known-signature');
    expect(code(() => openNote(`${TEXT}\n${PETER_LINE}`, []))).toBe('no-known-signature');
    const sameIdOtherName: VerifierKey = { ...enoch, keyId: peter.keyId };
    expect(code(() => openNote(`${TEXT}\n${PETER_LINE}`, [sameIdOtherName]))).toBe('no-known-signature');
  });

  it('is refused when a known key has signed something else, even beside a good signature', () => {
    expect(code(() => openNote(`${TEXT.replace('answer', 'Answer')}\n${PETER_LINE}`, [peter]))).toBe('bad-signature');
    const wrong = `${ENOCH_LINE.slice(0, 60)}ABCD${ENOCH_LINE.slice(60)}`;
    expect(code(() => openNote(`${TEXT}\n${PETER_LINE}${wrong}`, [peter, enoch]))).toBe('bad-signature');
    expect(code(() => openNote(`${TEXT}\n${PETER_LINE}${wrong}`, [peter]))).toBe('accepted');
  });

  it('is refused when the reader was given one key twice', () => {
    expect(code(() => openNote(`${TEXT}\n${ENOCH_LINE}`, [enoch, peter, parseVkey(ENOCH)]))).toBe('ambiguous-key');
    expect(code(() => openNote(`${TEXT}\n${PETER_LINE}`, [enoch, peter, parseVkey(ENOCH)]))).toBe('accepted');
  });

  it('accepts 100 signature lines and not one more', () => {
    expect(code(() => openNote(`${TEXT}\n${PETER_LINE.repeat(100)}`, [peter]))).toBe('accepted');
    expect(code(() => openNote(`${TEXT}\n${PETER_LINE.repeat(101)}`, [peter]))).toBe('malformed-note');
  });

  it('may hold empty lines in its text: the last one separates', () => {
    const text = 'first\n\nthird\n';
    const note = signNote(text, { name: 'PeterNeumann', seed: PETER_SEED });
    expect(openNote(note, [peter]).text).toBe(text);
  });
});

const base64 = PETER_LINE.slice('— PeterNeumann '.length, -1);
const malformed: [string, string | Uint8Array][] = [
  ['nothing', ''],
  ['text alone', TEXT],
  ['text and an empty line', `${TEXT}\n`],
  ['no newline behind the last signature', `${TEXT}\n${PETER_LINE.slice(0, -1)}`],
  ['no empty line before the signatures', `${TEXT}${PETER_LINE}`],
  ['an empty line behind the signatures', `${TEXT}\n${PETER_LINE}\n`],
  ['a control character', `\u0001${TEXT}\n${PETER_LINE}`],
  ['a tab', `\t${TEXT}\n${PETER_LINE}`],
  ['Windows line ends', `${TEXT}\n${PETER_LINE}`.replaceAll('\n', '\r\n')],
  ['a carriage return behind a signature', `${TEXT}\n${PETER_LINE.slice(0, -1)}\r\n`],
  ['bytes that are not UTF-8', Buffer.concat([Uint8Array.of(0xff), Buffer.from(`${TEXT}\n${PETER_LINE}`)])],
  ['a lone surrogate', `\ud800${TEXT}\n${PETER_LINE}`],
  ['a line that is no signature', `${TEXT}\n${PETER_LINE}Unexpected line.\n`],
  ['a hyphen in place of the dash', `${TEXT}\n${PETER_LINE.replace('—', '-')}`],
  ['an en dash in place of the dash', `${TEXT}\n${PETER_LINE.replace('—', '–')}`],
  ['no space behind the dash', `${TEXT}\n${PETER_LINE.replace('— ', '—')}`],
  ['a space in the name', `${TEXT}\n— Bad Name ${base64}\n`],
  ['a no-break space in the name', `${TEXT}\n— Bad\u00a0Name ${base64}\n`],
  ['a plus in the name', `${TEXT}\n— Bad+Name ${base64}\n`],
  ['no name', `${TEXT}\n—  ${base64}\n`],
  ['no signature', `${TEXT}\n— PeterNeumann\n`],
  ['something behind the signature', `${TEXT}\n— PeterNeumann ${base64} x\n`],
  ['a key ID alone', `${TEXT}\n— PeterNeumann x08gow==\n`],
  ['base64 without padding', `${TEXT}\n— PeterNeumann ${base64.slice(0, -1)}\n`],
  ['base64 with spare bits', `${TEXT}\n— PeterNeumann ${base64.replace('nAM=', 'nAN=')}\n`],
  ['base64 for URLs', `${TEXT}\n— PeterNeumann ${base64.replaceAll('/', '_')}\n`],
];

describe('malformed notes', () => {
  it.each(malformed)('refuses %s', (_, note) => {
    expect(code(() => parseNote(note))).toBe('malformed-note');
    expect(code(() => openNote(note, [peter]))).toBe('malformed-note');
  });

  it('refuses to sign what would not be a note', () => {
    const signer = { name: 'PeterNeumann', seed: PETER_SEED };
    expect(code(() => signNote('no newline', signer))).toBe('malformed-note');
    expect(code(() => signNote('tab\t\n', signer))).toBe('malformed-note');
    expect(code(() => signNote(TEXT, { ...signer, name: 'two words' }))).toBe('malformed-key');
    expect(code(() => signNote(TEXT, { ...signer, seed: PETER_SEED.subarray(1) }))).toBe('malformed-key');
  });
});

describe('verifier keys', () => {
  it('read and write the published form', () => {
    expect(encodeVkey(peter)).toBe(PETER);
    expect(encodeVkey(enoch)).toBe(ENOCH);
    expect(peter).toMatchObject({ kind: 'log', name: 'PeterNeumann', keyId: 'c74f20a3' });
    const witness = verifierKey('witness', 'witness.example/w1', enoch.publicKey);
    expect(parseVkey(encodeVkey(witness))).toEqual(witness);
  });

  it('refuse every part of a key and every changed character', () => {
    for (let begin = 0; begin <= PETER.length; begin++) {
      for (let end = begin; end <= PETER.length; end++) {
        if (begin === 0 && end === PETER.length) continue;
        if (code(() => parseVkey(PETER.slice(begin, end))) !== 'malformed-key') expect.fail(PETER.slice(begin, end));
      }
    }
    for (let position = 0; position < PETER.length; position++) {
      const changed = PETER.slice(0, position) + String.fromCharCode(PETER.charCodeAt(position) + 1) + PETER.slice(position + 1);
      if (code(() => parseVkey(changed)) !== 'malformed-key') expect.fail(changed);
    }
  });

  it('refuse a key of the wrong length and an unknown algorithm, with key IDs made to fit', () => {
    expect(code(() => parseVkey('PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=='))).toBe('malformed-key');
    expect(code(() => parseVkey('PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'))).toBe('malformed-key');
  });
});

describe('witness cosignatures', () => {
  const text = 'example.com/log\n7\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n';
  const witness = { name: 'witness.example/w1', seed: Buffer.alloc(32, 7) };
  const key = verifierKey('witness', witness.name, publicKeyFromSeed(witness.seed));
  const logNote = signNote(text, { name: 'example.com/log', seed: PETER_SEED });

  it('add a time and leave the log signature in place', () => {
    const cosignature = cosign(text, 1_679_315_147n, witness);
    const note = openNote(appendSignatures(logNote, [cosignature]), [key]);
    expect(note.verifiedBy).toEqual([key]);
    expect(verifyCosignature(text, cosignature.bytes, key.publicKey)).toBe(1_679_315_147n);
  });

  it('hold for one text, one time and one key only', () => {
    const { bytes } = cosign(text, 1_679_315_147n, witness);
    const later = Uint8Array.from(bytes);
    later[7]! ^= 1;
    expect(verifyCosignature(text, later, key.publicKey)).toBeUndefined();
    expect(verifyCosignature(text.replace('7', '8'), bytes, key.publicKey)).toBeUndefined();
    expect(verifyCosignature(text, bytes, peter.publicKey)).toBeUndefined();
    expect(verifyCosignature(text, bytes.subarray(8), key.publicKey)).toBeUndefined();
    expect(code(() => cosign(text, 1n << 63n, witness))).toBe('out-of-range');
  });

  it('are no log signatures, and log signatures are no cosignatures, also with one key under one name', () => {
    const asLog = verifierKey('log', witness.name, key.publicKey);
    const cosigned = appendSignatures(logNote, [cosign(text, 5n, witness)]);
    expect(code(() => openNote(cosigned, [asLog]))).toBe('no-known-signature');
    expect(code(() => openNote(cosigned, [{ ...asLog, keyId: key.keyId }]))).toBe('bad-signature');
    expect(code(() => openNote(signNote(text, witness), [{ ...key, keyId: asLog.keyId }]))).toBe('bad-signature');
  });
});
