import { freezeContext, inputContext, roundContext, setDigest } from '@coferment/consortium';
import { type Evidence, ProblemList, type Recorded, place, unsorted } from './evidence.js';
import { type Finding, countOf } from './verification.report.js';

/** R4: who is counted, and everybody else with a reason. */
export function checkCountedSets(evidence: Evidence): Finding {
  const list = new ProblemList();
  const freezes = evidence.all('round-frozen');
  for (const frozen of freezes) {
    const { run, sum, epoch: number, e, kind, modelIn, nonces, counted, excluded } = frozen.predicate;
    list.require(
      evidence.frozen(run, sum) === frozen,
      frozen,
      `sum ${sum} of run "${run}" was frozen before, with other content; a freeze is final`,
    );
    const epoch = evidence.epoch(run, number);
    if (!epoch || epoch.predicate.e !== e) {
      list.add(frozen, `it is in key epoch ${number} of run "${run}", which is not recorded with this E`);
      continue;
    }
    const members = epoch.predicate.dealings.map(({ site }) => site);
    const ready = nonces.map(({ site }) => site);
    const sites = counted.map(({ site }) => site);
    list.require(unsorted(ready) === undefined, frozen, `its nonce list is not sorted or names "${unsorted(ready)}" twice`);
    list.require(new Set(nonces.map(({ nonce }) => nonce)).size === nonces.length, frozen, 'its nonce list holds one nonce twice');
    list.require(unsorted(sites) === undefined, frozen, `the counted set is not sorted or counts "${unsorted(sites)}" twice`);
    for (const site of ready) list.require(members.includes(site), frozen, `"${site}" has a nonce but is not in this key epoch`);
    for (const site of sites) list.require(ready.includes(site), frozen, `"${site}" is counted but has no nonce in this attempt`);
    // A training sum relabelled `confirm` would need no second contributor and no second look.
    const startsFromModel = kind === 'update' || kind === 'evaluate';
    list.require(startsFromModel === (modelIn !== 'none'), frozen, `a sum of kind ${kind} cannot start from model ${modelIn}`);
    if (kind === 'confirm') {
      list.require(
        sites.length === 1 && ready.length === 1,
        frozen,
        `a confirm sum is over one site, not ${sites.length} of ${ready.length}`,
      );
      continue;
    }
    const { minContributors } = epoch.predicate.numbers;
    list.require(sites.length >= minContributors, frozen, `${sites.length} sites are counted; the run requires ${minContributors}`);
    const named = excluded.map(({ site }) => site);
    for (const site of named) list.require(!sites.includes(site), frozen, `"${site}" is both counted and excluded`);
    for (const site of members)
      list.require(sites.includes(site) || named.includes(site), frozen, `"${site}" is neither counted nor named with a reason`);
  }
  return { detail: countOf(freezes.length, 'frozen sum'), problems: list.problems };
}

/** I, K and T, each rebuilt from its parts (R1, R2, R4), so that no signature was over something that the log does not show. */
export function checkContexts(evidence: Evidence): Finding {
  const list = new ProblemList();
  const freezes = evidence.all('round-frozen');
  for (const frozen of freezes) {
    const { run, e, kind, sum, attempt, i, k, t, modelIn, ranges, normalisation, weightRule, nonces, counted } = frozen.predicate;
    const plan = evidence.run(run)?.predicate.plan;
    if (!list.require(plan !== undefined, frozen, `run "${run}" was never opened`)) continue;
    list.require(
      i === inputContext({ plan: plan!, kind, modelIn, ranges, normalisation, weightRule }),
      frozen,
      'I does not follow from plan, model and ranges',
    );
    list.require(k === roundContext({ e, i, sum, attempt, nonces }), frozen, 'K does not follow from E, I, the sum number and the nonces');
    list.require(t === freezeContext(k, counted), frozen, 'T does not follow from K and the counted uploads');
  }
  return { detail: `I, K and T of ${countOf(freezes.length, 'frozen sum')}`, problems: list.problems };
}

/** R3: an upload counts only under the K that its site signed. */
export function checkContributions(evidence: Evidence): Finding {
  const list = new ProblemList();
  let count = 0;
  const uploads = new Map<string, Recorded<'contribution'>[]>();
  for (const contribution of evidence.all('contribution')) {
    const { run, sum, site } = contribution.predicate;
    const key = `${run} ${sum} ${site}`;
    uploads.set(key, [...(uploads.get(key) ?? []), contribution]);
  }
  for (const frozen of evidence.all('round-frozen')) {
    const { run, sum, e, kind, attempt, k, ranges, counted } = frozen.predicate;
    for (const { site, merkleRoot } of counted) {
      count++;
      const found = uploads.get(`${run} ${sum} ${site}`) ?? [];
      const signed = found.some(
        ({ predicate }) =>
          predicate.k === k &&
          predicate.e === e &&
          predicate.kind === kind &&
          predicate.attempt === attempt &&
          predicate.merkleRoot === merkleRoot &&
          predicate.ranges === ranges,
      );
      const instead = found.length > 0 ? `; ${found.map(place).join(', ')} is for another K, upload or attempt` : '';
      list.require(signed, frozen, `the upload of "${site}" is counted, but not signed by it for this sum${instead}`);
    }
  }
  return { detail: countOf(count, 'counted upload'), problems: list.problems };
}

/**
 * Stickiness: per (kind, model-in) one set of sites, for life; `confirm` is over one site and exempt. The difference of two sums over two sets
 * from one model is one site's update. Attestations are looked at too, since a set counts from its first signature.
 */
export function checkOneSet(evidence: Evidence): Finding {
  const list = new ProblemList();
  const sets = new Map<string, { set: string; by: string }>();
  const freezes = new Map<string, { t: string; by: string }>();
  const enter = <Value extends { by: string }>(known: Map<string, Value>, key: string, value: Value): Value => {
    const earlier = known.get(key);
    if (!earlier) known.set(key, value);
    return earlier ?? value;
  };
  for (const frozen of evidence.all('round-frozen')) {
    const { run, sum, kind, modelIn, t, counted } = frozen.predicate;
    enter(freezes, `${run} ${sum}`, { t, by: place(frozen) });
    if (kind === 'confirm') continue;
    const set = setDigest(counted.map(({ site }) => site));
    const first = enter(sets, `${kind} ${modelIn}`, { set, by: place(frozen) });
    list.require(first.set === set, frozen, `it counts another set of sites than ${first.by} for ${kind} from model ${modelIn}`);
  }
  for (const attestation of evidence.all('attestation')) {
    const { run, kind, site, sums } = attestation.predicate;
    for (const { sum, t, set, modelIn } of sums) {
      const freeze = enter(freezes, `${run} ${sum}`, { t, by: place(attestation) });
      list.require(freeze.t === t, attestation, `"${site}" attests another set for sum ${sum} than ${freeze.by}`);
      if (kind === 'confirm') continue;
      const first = enter(sets, `${kind} ${modelIn}`, { set, by: place(attestation) });
      list.require(
        first.set === set,
        attestation,
        `"${site}" attests another set of sites than ${first.by} for ${kind} from model ${modelIn}`,
      );
    }
  }
  return { detail: countOf(sets.size, 'set'), problems: list.problems };
}
