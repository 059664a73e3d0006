import { isOperatorStatement, runId } from '@coferment/consortium';
import type { ContentCheck } from './content.check.js';
import { type Evidence, type Recorded, unsorted } from './evidence.js';
import { ProblemList } from './problem.list.js';
import { type Finding, countOf } from './verification.report.js';

/**
 * Nobody trains in a run, or beside companies, that it has not approved, and nobody acts in it for a site but who has approved it for the site: a key that was
 * enrolled under its name since is that of somebody else. A run may have fewer sites than were asked, if those it lacks had not approved:
 * who had is in it, and all were asked with the same list.
 */
export class RunCheck implements ContentCheck {
  readonly #list = new ProblemList();
  #runs = 0;
  #narrowed = 0;

  follow(recorded: Recorded, evidence: Evidence): void {
    if (recorded.name === 'run-opened') this.#checkOpened(recorded, evidence);
    else this.#checkActor(recorded, evidence);
  }

  finish(): Finding {
    const detail = this.#narrowed === 0 ? '' : `, ${this.#narrowed} without sites that had not approved in time`;
    return { detail: `${countOf(this.#runs, 'run')}${detail}`, problems: this.#list.problems };
  }

  #checkOpened(opened: Recorded<'run-opened'>, evidence: Evidence): void {
    const { run, plan, ordinal, sites } = opened.predicate;
    const list = this.#list;
    this.#runs++;
    list.require(
      runId(plan, ordinal) === run,
      opened,
      `run "${run}" should be called "${runId(plan, ordinal)}" after its plan and ordinal`,
    );
    list.require(evidence.run(run) === undefined, opened, `run "${run}" is opened a second time, with other content`);
    list.require(unsorted(sites) === undefined, opened, `its sites are not sorted and distinct (at "${unsorted(sites)}")`);
    list.require(evidence.isPublished(plan), opened, `plan ${plan} was never published`);
    const approvals = evidence.approvals(plan, ordinal);
    this.#checkAsked(opened, approvals);
    for (const site of sites) {
      const approval = approvals.find(
        ({ predicate }) => predicate.site === site && sites.every((other) => predicate.sites.includes(other)),
      );
      list.require(approval !== undefined, opened, `"${site}" had not approved run ${ordinal} of this plan with these sites`);
    }
    if (approvals.some(({ predicate }) => predicate.sites.length > sites.length)) this.#narrowed++;
  }

  #checkActor(recorded: Recorded, evidence: Evidence): void {
    const { predicate, publicKey } = recorded;
    if (!('site' in predicate && 'run' in predicate)) return;
    const { run, site } = predicate;
    // The operator's act about a site of the run is signed with the operator's key.
    if (isOperatorStatement(recorded.name)) {
      const isSite = evidence.run(run)?.predicate.sites.includes(site) === true;
      this.#list.require(isSite, recorded, `"${site}" is not a site of a run "${run}" that is opened`);
      return;
    }
    if (evidence.isOwnKey(run, site, publicKey)) return;
    const opened = evidence.run(run);
    if (opened === undefined) this.#list.add(recorded, `"${site}" acts in run "${run}", which is not opened yet`);
    else if (opened.predicate.sites.includes(site))
      this.#list.add(recorded, `it is signed by key ${publicKey}, with which "${site}" has not approved run "${run}"`);
  }

  /** A coordinator that picks among those who approved would choose who stands beside whom; one that asks with several lists, who believes what. */
  #checkAsked(opened: Recorded<'run-opened'>, approvals: readonly Recorded<'plan-approved'>[]): void {
    const { sites, ordinal } = opened.predicate;
    const [first] = approvals;
    for (const approval of approvals) {
      const { site, sites: asked } = approval.predicate;
      this.#list.require(
        sites.includes(site),
        opened,
        `"${site}" had approved run ${ordinal} of this plan, but the run was opened without it`,
      );
      this.#list.require(
        asked.join() === first!.predicate.sites.join(),
        approval,
        `"${site}" was asked with other sites than "${first!.predicate.site}"`,
      );
    }
  }
}
