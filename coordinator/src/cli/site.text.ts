import { type Invite, formatCertificateFingerprint, identityWords, inviteLine } from '@coferment/consortium';
import type { GetStatusResponse, SiteStatus } from '@coferment/proto';
import { coloursOf } from './terminal.colours.js';

const pc = coloursOf(1);

const time = (ms: number): string => (ms === 0 ? 'never' : new Date(ms).toISOString().replace('T', ' ').slice(0, 16));

interface Handover {
  name: string;
  out?: string;
  line?: boolean;
  validHours: number;
  preAdmit?: boolean;
}

export function invitedText(invite: Invite, { name, out, line, validHours, preAdmit }: Handover): string {
  const { site, role, caFingerprint } = invite;
  const whose = site === name ? `"${site}"` : `"${name}", which the ledger will call ${site},`;
  return [
    `The invite for the ${role} ${whose} ${out === undefined ? 'is the line below' : `is in ${out}`}. It works once, for ${validHours} hours.`,
    `Fingerprint of the certificate authority in it: ${formatCertificateFingerprint(caFingerprint)}`,
    preAdmit === true
      ? 'Whoever brings it is in: hand it over so that nobody else can read it.'
      : `When it is used, compare six words with the site and let it in: coferment sites admit ${site}`,
    ...(line === true ? ['', inviteLine(invite)] : []),
  ].join('\n');
}

/** One site as programs see it: the status, with the words that people compare. */
export function membersJson(status: GetStatusResponse) {
  return {
    ledgerReaders: status.ledgerReaders,
    siteNames: status.siteNames,
    members: status.sites.map((member) => ({ ...member, words: wordsOf(status, member) })),
  };
}

export function membersText(status: GetStatusResponse): string {
  if (status.sites.length === 0) return 'There are no members yet. Invite one: coferment invite NAME --out FILE';
  const waiting = status.sites.filter(({ state }) => state === 'pending');
  return [
    ...status.sites.flatMap((member) => memberLines(status, member)),
    ...(waiting.length === 0 ? [] : ['', `To let one in: coferment sites admit ${waiting[0]!.site}`]),
  ].join('\n');
}

function memberLines(status: GetStatusResponse, member: SiteStatus): string[] {
  const { site, state, role, company, lastPollMs, certificateExpiresMs, inviteExpiresMs } = member;
  const facts = [
    ...(company === '' ? [] : [company]),
    ...(state === 'invited' && inviteExpiresMs === 0 ? ['its invite has expired'] : []),
    ...(inviteExpiresMs > 0 ? [`invite until ${time(inviteExpiresMs)}`] : []),
    ...(state === 'enrolled'
      ? [certificateExpiresMs === 0 ? 'has not fetched its certificate yet' : `certificate until ${time(certificateExpiresMs)}`]
      : []),
    ...(role === 'site' && state !== 'invited' && state !== 'pending' ? [`last heard of ${time(lastPollMs)}`] : []),
  ];
  const words = wordsOf(status, member);
  return [
    `${pc.bold(site.padEnd(20))} ${role.padEnd(8)} ${state.padEnd(9)} ${facts.join('; ')}`,
    ...(words === '' ? [] : [`${' '.repeat(20)} ${words}`]),
  ];
}

function wordsOf({ consortium }: GetStatusResponse, { site, identityKey }: SiteStatus): string {
  return identityKey === '' ? '' : identityWords(consortium, site, identityKey).join(' ');
}

/** A replaced site comes back under new keys, with a new invite. */
export function revokedText(site: string, { runs }: GetStatusResponse): string {
  const concerned = runs.filter(
    ({ state, sites, leftOut }) => !['completed', 'aborted', 'failed'].includes(state) && sites.includes(site) && !leftOut.includes(site),
  );
  const rest = concerned.map(({ run }) => `\nGo on without it: coferment epochs renew ${run} --leave-out ${site}`);
  return `The member "${site}" is revoked. To let it in with new keys, invite it again.${rest.join('')}`;
}
