import { describeModel } from '@coferment/consortium';
import { DescribeModelResponse, type ModelServiceServer, ModelServiceService } from '@coferment/proto';
import { Injectable } from '@nestjs/common';
import { unary } from '../agent-port/call.handler.js';
import { requireText } from '../agent-port/field.limits.js';
import type { GrpcController } from '../agent-port/grpc.controller.js';
import { RunViews } from '../runs/run.views.js';
import { ModelService } from './model.service.js';

@Injectable()
export class ModelController implements GrpcController<ModelServiceServer> {
  readonly definition = ModelServiceService;
  readonly handlers: ModelServiceServer = {
    describeModel: unary(async ({ run }) => {
      const view = await this.views.load(requireText('run', run, 40));
      const current = await this.models.current(view);
      return DescribeModelResponse.fromPartial({
        model: current?.model ?? '',
        parameters: describeModel(view.plan).parameters,
        round: current?.round ?? 0,
        released: view.run.state === 'completed',
      });
    }),
  };

  constructor(
    private readonly views: RunViews,
    private readonly models: ModelService,
  ) {}
}
