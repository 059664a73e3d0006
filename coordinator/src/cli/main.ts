import 'reflect-metadata';
import { Command } from 'commander';
import { EXIT } from './exit.codes.js';
import { addEpochs } from './epoch.commands.js';
import { addExports } from './export.commands.js';
import { addModels } from './model.commands.js';
import { addPlans } from './plan.commands.js';
import { addRosters } from './roster.commands.js';
import { addRuns } from './run.commands.js';
import { addSites } from './site.commands.js';
import { addStart } from './start.command.js';

const program = new Command('coferment')
  .description('The operator of a consortium: start the coordinator, invite sites, publish plans, launch and watch runs.')
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage));
addStart(program);
addSites(program);
addPlans(program);
addRuns(program);
addRosters(program);
addEpochs(program);
addModels(program);
addExports(program);
await program.parseAsync();
