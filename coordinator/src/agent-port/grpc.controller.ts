import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';

/** One gRPC service: its definition and its handlers. Controllers check fields and map messages; decisions are made by services. */
export interface GrpcController<Handlers extends UntypedServiceImplementation = UntypedServiceImplementation> {
  readonly definition: ServiceDefinition;
  readonly handlers: Handlers;
}
