import { parseCheckpoint, parseNote, shownText } from '@coferment/ledger';
import type { GetLedgerStatusResponse, WitnessStatus } from '@coferment/proto';

const time = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').slice(0, 19);

/** Entries under a signed note of the coordinator's own; 0 for none. */
export function sizeOfNote(note: string): number {
  return note === '' ? 0 : Number(parseCheckpoint(parseNote(note).text).size);
}

/** As programs see it: with the sizes that stand inside the notes. */
export function ledgerJson(status: GetLedgerStatusResponse) {
  const { offered, witnessed, published } = status;
  return {
    ...status,
    offeredSize: sizeOfNote(offered),
    witnessedSize: sizeOfNote(witnessed),
    publishedSize: sizeOfNote(published),
    waitingFor: waitedFor(status).map(({ vkey }) => vkey),
  };
}

/** For people. Names and what a called witness answers are texts of others. */
export function ledgerText(status: GetLedgerStatusResponse): string {
  const { size, quorum, witnesses, sitesWithoutKey, url } = status;
  const offered = sizeOfNote(status.offered);
  const counted = witnesses.filter(({ counts }) => counts);
  return [
    `signed       ${size} entries`,
    `cosigned     ${sizeOfNote(status.witnessed)} entries by ${quorum} or more witnesses; receipts are given under this checkpoint`,
    `published    ${sizeOfNote(status.published)} entries${url === '' ? '; the ledger is not served over HTTP' : ` at ${url}/checkpoint`}`,
    `now offered  ${offered} entries: ${offerText(status, counted.length)}`,
    '',
    ...witnesses.map((witness) => witnessLine(witness, offered)),
    ...(sitesWithoutKey.length === 0
      ? []
      : [`Without a witness key: ${sitesWithoutKey.join(', ')}. An agent sends its own when it connects; an older one sends none.`]),
  ]
    .map(shownText)
    .join('\n');
}

/** Witnesses that count and have not cosigned what is offered, while its quorum is not met. */
function waitedFor(status: GetLedgerStatusResponse): WitnessStatus[] {
  const { quorum, cosigned, witnesses } = status;
  if (cosigned >= quorum) return [];
  const offered = sizeOfNote(status.offered);
  return witnesses.filter(({ counts, cosignedSize }) => counts && cosignedSize < offered);
}

function offerText(status: GetLedgerStatusResponse, known: number): string {
  const { quorum, cosigned, untilMs } = status;
  if (cosigned >= quorum) return `${cosigned} cosignatures, ${quorum} are needed`;
  if (known < quorum)
    return `${quorum} cosignatures are needed and ${known} witnesses are known, so nobody is waited for and no receipts are given`;
  // Once there is a cosigned one, nothing without cosignatures takes its place.
  const next = sizeOfNote(status.witnessed) === 0 ? 'it is published without them and the next is offered' : 'the next is offered';
  const until = untilMs === 0 ? 'it can be cosigned still' : `${next} at ${time(untilMs)}`;
  const names = waitedFor(status).map(({ site, vkey }) => site || (vkey.split('+')[0] ?? ''));
  return `${cosigned} of ${quorum} cosignatures; waiting for ${names.join(', ')}; ${until}`;
}

function witnessLine({ vkey, site, counts, cosignedSize, cosignedMs, url, problem }: WitnessStatus, offered: number): string {
  const name = site === '' ? (vkey.split('+')[0] ?? '') : site;
  const behind = cosignedSize < offered ? `, ${offered - cosignedSize} behind` : '';
  const facts = [
    cosignedSize === 0 ? 'has cosigned nothing of late' : `cosigned ${cosignedSize} entries at ${time(cosignedMs)}${behind}`,
    ...(counts ? [] : ['does not count: the charter does not name it']),
    ...(url === '' ? [] : [`called at ${url}`]),
    ...(problem === '' ? [] : [`last call failed: ${problem}`]),
  ];
  return `${name.padEnd(20)} ${facts.join('; ')}`;
}
