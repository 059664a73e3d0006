import { type DynamicModule, Global, Module } from '@nestjs/common';
import { AgentPortModule } from './agent-port/agent-port.module.js';
import { AggregationModule } from './aggregation/aggregation.module.js';
import { CertificatesModule } from './certificates/certificates.module.js';
import { EnrolmentModule } from './enrolment/enrolment.module.js';
import { EpochsModule } from './epochs/epochs.module.js';
import { ConsortiumIdentity } from './identity/consortium.identity.js';
import { LedgerHttpModule } from './ledger-http/ledger-http.module.js';
import { ModelsModule } from './models/models.module.js';
import { ObjectsModule } from './objects/objects.module.js';
import { PersistenceModule } from './persistence/persistence.module.js';
import { PlansModule } from './plans/plans.module.js';
import { PublicationModule } from './publication/publication.module.js';
import { ReplicasModule } from './replicas/replicas.module.js';
import { RoundsModule } from './rounds/rounds.module.js';
import { RunsModule } from './runs/runs.module.js';
import { Settings } from './settings.js';
import { TelemetryModule } from './telemetry/telemetry.module.js';
import { WitnessingModule } from './witnessing/witnessing.module.js';

@Global()
@Module({
  imports: [
    PersistenceModule,
    TelemetryModule,
    ReplicasModule,
    PublicationModule,
    WitnessingModule,
    ObjectsModule,
    CertificatesModule,
    EnrolmentModule,
    PlansModule,
    ModelsModule,
    EpochsModule,
    RoundsModule,
    AggregationModule,
    RunsModule,
    AgentPortModule,
    LedgerHttpModule,
  ],
})
export class CoordinatorModule {
  /** @param identity opened before, so that a wrong passphrase is an answer to a person and not a failure of the framework */
  static with(settings: Settings, identity: ConsortiumIdentity): DynamicModule {
    const providers = [
      { provide: Settings, useValue: settings },
      { provide: ConsortiumIdentity, useValue: identity },
    ];
    return { module: CoordinatorModule, providers, exports: [Settings, ConsortiumIdentity] };
  }
}
