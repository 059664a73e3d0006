import { Global, Module } from '@nestjs/common';
import { ChangeListener } from './change.listener.js';
import { ReplicaRepository } from './replica.repository.js';
import { Replicas } from './replicas.service.js';
import { WorkLeases } from './work.leases.js';

/** What coordinators on one database have to know of each other. */
@Global()
@Module({
  providers: [ChangeListener, ReplicaRepository, Replicas, WorkLeases],
  exports: [ChangeListener, ReplicaRepository, Replicas, WorkLeases],
})
export class ReplicasModule {}
