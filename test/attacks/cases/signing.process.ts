import { readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { peekStatement } from '@coferment/consortium';
import { type DsseEnvelope, hexToBytes, identityFromSeed, loadCrypto } from '@coferment/crypto';
import type { FrozenSum } from '../../../client-agent/src/connection/instruction.parser.js';
import { type Member, reopenMember, SharedBoard } from '../../../client-agent/src/rounds/members.fixture.js';
import { attest } from '../../../client-agent/src/rounds/opening.handlers.js';

/** A serving agent, as far as it goes before it is killed: it says what it would send next, then holds it back for ever. */
const request = JSON.parse(await text(process.stdin)) as {
  site: string;
  folder: string;
  board: string;
  seed: string;
  operatorKey: string;
  frozen: FrozenSum;
};
await loadCrypto();
const identity = identityFromSeed(hexToBytes(request.seed));
const known = { site: request.site, folder: request.folder, operatorKey: hexToBytes(request.operatorKey), identity };
const member = reopenMember({ ...known, journal: { close: () => undefined } } as unknown as Member, new SharedBoard());
member.port = {
  ...member.port,
  download: (digest: string) => Promise.resolve(new Uint8Array(readFileSync(join(request.board, digest)))),
  submitStatement: (envelope: DsseEnvelope) => {
    writeSync(1, `${peekStatement(envelope).name}\n`);
    return new Promise(() => setInterval(() => undefined, 1000));
  },
};
await attest(member, { sums: [request.frozen] });
