import { LONGEST_NOTE } from '../witnessing/checkpoint.offer.js';

const KIB = 1024;
/** Names, digests and numbers. */
const SMALL = 16 * KIB;
/** A signed act of 256 KiB, the most that is read of one, with its key id and signature. */
const ACT = 257 * KIB;
/** A chunk of 256 KiB, or a header. */
const CHUNK = 257 * KIB;
/** The positions of a thousand runs, the most that are read. */
const POSITIONS = 96 * KIB;
/** 65 536 characters, of up to four bytes in UTF-8. */
const PLAN = 260 * KIB;
/** A note, and as many bytes again for characters that are not ASCII. */
const NOTE = 3 * LONGEST_NOTE + KIB;
/** Names of up to 128 sites and the reasons beside them. */
const NAMES = 64 * KIB;

/** Bytes of one message of a call, looked at before it is parsed. Calls that are not named here carry small messages. */
const LARGER: Readonly<Record<string, number>> = {
  '/coferment.v1.PollingService/Poll': POSITIONS,
  '/coferment.v1.StatementService/SubmitStatement': ACT,
  '/coferment.v1.ShareService/SubmitShare': ACT,
  '/coferment.v1.UploadService/Upload': CHUNK,
  '/coferment.v1.LedgerService/AddCosignature': NOTE,
  '/coferment.v1.OperatorService/PublishPlan': PLAN,
  '/coferment.v1.OperatorService/LaunchRun': NAMES,
};

/** The largest message of any call: gRPC itself takes none that is larger, also not one that unpacks to more. */
export const LARGEST_MESSAGE = Math.max(SMALL, ...Object.values(LARGER));

export function largestMessage(path: string): number {
  return LARGER[path] ?? SMALL;
}
