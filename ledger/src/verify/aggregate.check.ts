import { setDigest } from '@coferment/consortium';
import { type Evidence, ProblemList, type Recorded } from './evidence.js';
import { type Finding, type RunTotals, countOf } from './verification.report.js';

/** R5: nothing may be opened before ρ sites have signed exactly this T; ρ is that of the run's first roster. */
export function checkCertificates(evidence: Evidence): Finding {
  const list = new ProblemList();
  const aggregates = evidence.all('aggregate');
  for (const aggregate of aggregates) {
    const { run, sum, epoch, e, kind, k, t, modelIn, round, certificate } = aggregate.predicate;
    const frozen = evidence.frozen(run, sum)?.predicate;
    const first = evidence.firstEpoch(run)?.predicate;
    const sites = evidence.run(run)?.predicate.sites ?? [];
    if (!frozen || !first) {
      list.add(aggregate, `sum ${sum} of run "${run}" was opened without a recorded freeze and key epoch`);
      continue;
    }
    const same =
      frozen.k === k &&
      frozen.t === t &&
      frozen.e === e &&
      frozen.epoch === epoch &&
      frozen.kind === kind &&
      frozen.modelIn === modelIn &&
      frozen.round === round;
    list.require(same, aggregate, `it does not agree with the freeze of sum ${sum}`);
    const set = setDigest(frozen.counted.map(({ site }) => site));
    const valid = new Set<string>();
    for (const { site = '', attestation = '' } of certificate) {
      const attested = evidence.at('attestation', attestation)?.predicate;
      const entry = attested?.sums.find((candidate) => candidate.sum === sum);
      const counts =
        attested !== undefined &&
        attested.site === site &&
        attested.run === run &&
        attested.epoch === epoch &&
        attested.e === e &&
        attested.kind === kind &&
        sites.includes(site) &&
        entry?.k === k &&
        entry.t === t &&
        entry.set === set &&
        entry.modelIn === modelIn;
      if (list.require(counts, aggregate, `the attestation of "${site}" is not recorded for exactly this counted set`)) {
        list.require(!valid.has(site), aggregate, `"${site}" attests twice in one certificate`);
        valid.add(site);
      }
    }
    list.require(valid.size >= first.numbers.rho, aggregate, `${valid.size} sites attested this counted set; ${first.numbers.rho} must`);
  }
  return { detail: countOf(aggregates.length, 'opened sum'), problems: list.problems };
}

/** R6: at least τ key holders of the epoch, and no share for anything but the frozen T. */
export function checkShares(evidence: Evidence): Finding {
  const list = new ProblemList();
  for (const aggregate of evidence.all('aggregate')) {
    const { run, sum, epoch: number, e, kind, k, t, shares } = aggregate.predicate;
    const epoch = evidence.epoch(run, number)?.predicate;
    if (!epoch) {
      list.add(aggregate, `key epoch ${number} of run "${run}" is not recorded`);
      continue;
    }
    const valid = new Set<string>();
    for (const { site = '', share = '' } of shares) {
      const given = evidence.at('share', share)?.predicate;
      const counts =
        given !== undefined &&
        given.site === site &&
        given.run === run &&
        given.sum === sum &&
        given.e === e &&
        given.kind === kind &&
        given.k === k &&
        given.t === t;
      list.require(counts, aggregate, `the decryption share of "${site}" is not recorded for this sum`);
      list.require(epoch.keyHolders.includes(site), aggregate, `"${site}" gave a decryption share but holds no key`);
      list.require(!valid.has(site), aggregate, `"${site}" gave two decryption shares for one sum`);
      if (counts) valid.add(site);
    }
    list.require(
      valid.size >= epoch.numbers.tau,
      aggregate,
      `${valid.size} key holders gave shares; the threshold is ${epoch.numbers.tau}`,
    );
  }
  const released = evidence.all('share');
  for (const share of released) {
    const { run, sum, k, t, site } = share.predicate;
    const frozen = evidence.frozen(run, sum)?.predicate;
    list.require(frozen?.k === k && frozen.t === t, share, `"${site}" released a share for a set that was not frozen for sum ${sum}`);
  }
  return { detail: countOf(released.length, 'decryption share'), problems: list.problems };
}

/** Sums of a run in the order of their numbers, each once. */
function sumsOfRun(evidence: Evidence, run: string): Recorded<'aggregate'>[] {
  return evidence
    .all('aggregate')
    .filter(({ predicate }) => predicate.run === run)
    .toSorted((left, right) => left.predicate.sum - right.predicate.sum);
}

/** R8: what one round gives is what the next one starts from, so no model comes from outside. */
export function checkModels(evidence: Evidence): Finding {
  const list = new ProblemList();
  let models = 0;
  for (const { predicate: opened } of evidence.all('run-opened')) {
    let current: string | undefined;
    let previous: number | undefined;
    for (const aggregate of sumsOfRun(evidence, opened.run)) {
      const { kind, sum, modelIn, modelOut } = aggregate.predicate;
      list.require(sum !== previous, aggregate, `sum ${sum} has two results`);
      previous = sum;
      if (kind === 'confirm') continue;
      if (kind === 'update' || kind === 'evaluate') {
        list.require(modelIn !== 'none', aggregate, `a sum of kind ${kind} must start from a model`);
        list.require(
          current === undefined || modelIn === current,
          aggregate,
          `it starts from model ${modelIn}, but the sum before left ${current}`,
        );
      }
      if (kind === 'update') {
        list.require(modelOut !== 'none' && modelOut !== modelIn, aggregate, `its model does not change`);
        models++;
      }
      if (kind === 'evaluate') list.require(modelOut === 'none' || modelOut === modelIn, aggregate, 'an evaluation changes the model');
      if (modelOut !== 'none') current = modelOut;
    }
    for (const released of evidence.all('model-released')) {
      const { run, model } = released.predicate;
      if (run !== opened.run) continue;
      list.require(model === current, released, `it releases model ${model}, but the run ended with ${current ?? 'none'}`);
      const completed = evidence.find('run-closed', (closed) => closed.run === run && closed.status === 'completed');
      list.require(completed !== undefined, released, 'it releases the model of a run that has not completed');
    }
  }
  return { detail: countOf(models, 'trained model'), problems: list.problems };
}

/** Who contributed how often, counted from the opened sums. */
export function totalsOf(evidence: Evidence): RunTotals[] {
  return evidence.all('run-opened').map(({ predicate: { run, sites } }) => {
    const updates = sumsOfRun(evidence, run).filter(({ predicate }) => predicate.kind === 'update');
    const sets = updates.map(({ predicate }) => new Set(evidence.frozen(run, predicate.sum)?.predicate.counted.map(({ site }) => site)));
    return {
      run,
      rounds: updates.length,
      contributions: sites.map((site) => ({ site, updates: sets.filter((set) => set.has(site)).length })),
    };
  });
}

/** What a closed run says about itself is what can be counted. */
export function checkTotals(evidence: Evidence): Finding {
  const list = new ProblemList();
  const totals = new Map(totalsOf(evidence).map((total) => [total.run, total]));
  const closings = evidence.all('run-closed');
  for (const closed of closings) {
    const { run, rounds, model, contributions } = closed.predicate;
    const counted = totals.get(run);
    if (!counted) {
      list.add(closed, `run "${run}" was never opened`);
      continue;
    }
    list.require(rounds === counted.rounds, closed, `it says ${rounds} rounds; ${counted.rounds} sums of training rounds are recorded`);
    const claimed = new Map(contributions.map(({ site, updates }) => [site, updates]));
    list.require(claimed.size === contributions.length, closed, 'it lists a site twice');
    for (const { site, updates } of counted.contributions) {
      list.require(
        (claimed.get(site) ?? 0) === updates,
        closed,
        `it says ${claimed.get(site) ?? 0} contributions of "${site}"; ${updates} are recorded`,
      );
      claimed.delete(site);
    }
    for (const site of claimed.keys()) list.add(closed, `"${site}" is not a site of the run`);
    const last = sumsOfRun(evidence, run).findLast(({ predicate }) => predicate.kind !== 'confirm' && predicate.modelOut !== 'none');
    list.require(
      model === 'none' || model === last?.predicate.modelOut,
      closed,
      `it ends with model ${model}, but the last sum left ${last?.predicate.modelOut ?? 'none'}`,
    );
  }
  for (const evaluation of evidence.all('evaluation')) {
    const { run, sum, model } = evaluation.predicate;
    const aggregate = evidence.find('aggregate', (candidate) => candidate.run === run && candidate.sum === sum);
    list.require(aggregate?.predicate.modelIn === model, evaluation, `it is of model ${model}, but sum ${sum} was not taken on that model`);
  }
  return { detail: countOf(closings.length, 'closed run'), problems: list.problems };
}
