import 'reflect-metadata';
import { Command } from 'commander';
import { addAuthorities } from './authority.commands.js';
import { EXIT } from './exit.codes.js';
import { addEpochs } from './epoch.commands.js';
import { addExports } from './export.commands.js';
import { addKeys } from './keys.commands.js';
import { addModels } from './model.commands.js';
import { addPlans } from './plan.commands.js';
import { programVersion } from './program.version.js';
import { addRosters } from './roster.commands.js';
import { addRuns } from './run.commands.js';
import { addSites } from './site.commands.js';
import { addStart } from './start.command.js';

// A report that Node writes when it crashes, or on a signal, would carry DATABASE_URL with its password out of the environment.
process.report.excludeEnv = true;

const program = new Command('coferment')
  .description('The operator of a consortium: start the coordinator, invite sites, publish plans, launch and watch runs.')
  .version(programVersion(), '--version', 'print the version')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage));
addStart(program);
addSites(program);
addAuthorities(program);
addPlans(program);
addRuns(program);
addRosters(program);
addEpochs(program);
addModels(program);
addExports(program);
addKeys(program);
await program.parseAsync();
