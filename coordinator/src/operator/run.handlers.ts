import type { ServerWritableStream, handleServerStreamingCall } from '@grpc/grpc-js';
import {
  AbortRunResponse,
  GetRostersResponse,
  GetRunResponse,
  LaunchRunResponse,
  type OperatorServiceServer,
  PublishPlanResponse,
  ReleaseModelResponse,
  RenewEpochResponse,
  type WatchRunRequest,
  type WatchRunResponse,
} from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { failed, unary } from '../agent-port/call.handler.js';
import { requireCount, requireDigest, requireText } from '../agent-port/field.limits.js';
import { EpochRenewal } from '../epochs/epoch.renewal.js';
import { PlanService } from '../plans/plan.service.js';
import { RunService } from '../runs/run.service.js';
import { RunViews } from '../runs/run.views.js';
import { rosterStatus } from './roster.status.js';
import { RunWatch } from './run.watch.js';
import { REASON_LENGTH, SITE_LENGTH } from './site.handlers.js';
import { StatusService } from './status.service.js';

export const RUN_LENGTH = 40;
/** Ten years: the longest time that the command line reads. */
const LONGEST_APPROVAL_MS = 3650 * 86_400_000;
/** Events are numbered with 32 bits. */
const LAST_EVENT = 2 ** 31 - 1;

type Method = 'publishPlan' | 'launchRun' | 'abortRun' | 'renewEpoch' | 'getRun' | 'getRosters' | 'watchRun' | 'releaseModel';

/** Plans and their runs. */
@Injectable()
export class RunHandlers {
  readonly handlers: Pick<OperatorServiceServer, Method>;

  constructor(
    private readonly plans: PlanService,
    private readonly runs: RunService,
    private readonly renewal: EpochRenewal,
    private readonly views: RunViews,
    private readonly state: StatusService,
    private readonly watch: RunWatch,
  ) {
    const watchRun: handleServerStreamingCall<WatchRunRequest, WatchRunResponse> = (call) => {
      this.#watch(call).then(
        () => call.end(),
        (error: unknown) => call.emit('error', failed(call.getPath(), error)),
      );
    };
    this.handlers = {
      publishPlan: unary(async ({ plan }) => PublishPlanResponse.fromPartial(await this.plans.publish(requireText('plan', plan, 65_536)))),
      launchRun: unary(async ({ plan, sites, approveWithinMs, startAtMs }) => {
        const withinMs = requireCount('approveWithinMs', approveWithinMs, LONGEST_APPROVAL_MS);
        return LaunchRunResponse.fromPartial(
          await this.runs.launch(requireDigest('plan', plan), sites, { approveWithinMs: withinMs, startAtMs }),
        );
      }),
      abortRun: unary(async ({ run, reason }) => {
        await this.runs.abort(requireText('run', run, RUN_LENGTH), reason.slice(0, REASON_LENGTH));
        return AbortRunResponse.fromPartial({});
      }),
      renewEpoch: unary(async ({ run, epoch, leaveOut, replaceHolder }) => {
        const renewed = await this.renewal.renew(requireText('run', run, RUN_LENGTH), {
          epoch,
          ...(leaveOut === '' ? {} : { leaveOut: requireText('leaveOut', leaveOut, SITE_LENGTH) }),
          ...(replaceHolder === '' ? {} : { replaceHolder: requireText('replaceHolder', replaceHolder, SITE_LENGTH) }),
        });
        const { keyHolders, leftOut } = renewed.roster;
        const { fingerprint } = renewed;
        return RenewEpochResponse.fromPartial({ run, epoch, fingerprint, keyHolders: keyHolders.map(({ site }) => site), leftOut });
      }),
      getRun: unary(async ({ run }) =>
        GetRunResponse.fromPartial({ run: this.state.of(await this.views.load(requireText('run', run, RUN_LENGTH))) }),
      ),
      getRosters: unary(async ({ run }) =>
        GetRostersResponse.fromPartial({ rosters: rosterStatus(await this.views.load(requireText('run', run, RUN_LENGTH))) }),
      ),
      releaseModel: unary(async ({ run }) =>
        ReleaseModelResponse.fromPartial(await this.runs.release(requireText('run', run, RUN_LENGTH))),
      ),
      watchRun,
    };
  }

  async #watch(call: ServerWritableStream<WatchRunRequest, WatchRunResponse>): Promise<void> {
    const gone = new AbortController();
    call.on('cancelled', () => gone.abort());
    const run = requireText('run', call.request.run, RUN_LENGTH);
    const after = requireCount('after', call.request.after, LAST_EVENT);
    for await (const event of this.watch.follow(run, after, gone.signal)) call.write(event);
  }
}
