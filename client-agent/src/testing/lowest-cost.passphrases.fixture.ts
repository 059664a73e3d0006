import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

/**
 * INSECURE: Argon2id at its lowest cost, from here on and in this process only, for tests that make stores by the dozen and are about something else.
 * A store that is made so opens in no other process.
 */
const { argon2Sync } = crypto;
crypto.argon2Sync = (algorithm, parameters) => argon2Sync(algorithm, { ...parameters, memory: 8, passes: 1 });
syncBuiltinESMExports();
