import { canonicalBytes, describeModel } from '@coferment/consortium';
import { DescribeModelResponse, type ModelServiceServer, ModelServiceService } from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { unary } from '../agent-port/call.handler.js';
import type { Caller } from '../agent-port/caller.js';
import { requireText } from '../agent-port/field.limits.js';
import type { GrpcController } from '../agent-port/grpc.controller.js';
import { isReleased } from '../runs/run.release.js';
import type { RunView } from '../runs/run.view.js';
import { RunViews } from '../runs/run.views.js';
import { ModelService } from './model.service.js';

@Injectable()
export class ModelController implements GrpcController<ModelServiceServer> {
  readonly definition = ModelServiceService;
  readonly handlers: ModelServiceServer = {
    describeModel: unary(async ({ run }, { caller }) => {
      const view = await this.views.load(requireText('run', run, 40));
      const current = await this.models.current(view);
      return DescribeModelResponse.fromPartial({
        model: current?.model ?? '',
        parameters: describeModel(view.plan).parameters,
        round: current?.round ?? 0,
        released: isReleased(view),
        ...(current === undefined || !mayTake(view, caller)
          ? {}
          : { object: current.object, normalisation: new TextDecoder().decode(canonicalBytes(current.normalisation)) }),
      });
    }),
  };

  constructor(
    private readonly views: RunViews,
    private readonly models: ModelService,
  ) {}
}

/** A site that was not in the run takes its model once it is released. */
function mayTake(view: RunView, caller: Caller): boolean {
  return caller.kind === 'operator' || isReleased(view) || (caller.kind === 'site' && view.run.sites.includes(caller.site));
}
