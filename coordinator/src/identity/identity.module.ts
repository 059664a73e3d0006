import { Global, Module } from '@nestjs/common';
import { Settings } from '../settings.js';
import { ConsortiumIdentity, unlock } from './consortium.identity.js';

@Global()
@Module({
  providers: [
    {
      provide: ConsortiumIdentity,
      useFactory: (settings: Settings) => unlock(settings.folder, settings.passphrase),
      inject: [Settings],
    },
  ],
  exports: [ConsortiumIdentity],
})
export class IdentityModule {}
