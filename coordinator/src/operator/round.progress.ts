import { RoundProgress } from '@coferment/proto';
import type { RoundRow } from '../rounds/round.entity.js';
import { contributorsNeeded, declinedSites, noncesOf } from '../rounds/round.participants.js';
import { type RunView, epochOf, sitesOf } from '../runs/run.view.js';
import { slots } from '../runs/slot.names.js';

/** How far a sum has come with its sites, in counts: who is missing says the run itself. */
export function roundProgress(view: RunView, round: RoundRow): RoundProgress {
  const { acts, run } = view;
  const { keyHolders, leftOut } = epochOf(view, round).roster;
  const attempt = slots.ofAttempt(round.sum, round.attempt);
  const attestation = slots.ofAttestation(round.kind, round.epoch, round.sum);
  const attesters = run.sites.filter((site) => !leftOut.includes(site));
  const sites = sitesOf(view, round);
  const declined = declinedSites(view, round);
  return RoundProgress.fromPartial({
    sites: sites.length,
    needed: contributorsNeeded(view, round),
    declined: sites.filter((site) => declined.has(site)).length,
    ready: noncesOf(view, round).length,
    listed: round.nonces.length,
    uploaded: round.nonces.filter(({ site }) => acts.has('contribution', site, attempt)).length,
    attested: attesters.filter((site) => acts.has('attestation', site, attestation)).length,
    attesters: attesters.length,
    shares: keyHolders.filter(({ site }) => acts.has('share', site, slots.ofSum(round.sum))).length,
    deadlineMs: round.deadlineMs,
  });
}
