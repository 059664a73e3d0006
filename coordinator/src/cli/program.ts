import { Command } from 'commander';
import { addAuthorities } from './authority.commands.js';
import { addControl } from './control.commands.js';
import { addEpochs } from './epoch.commands.js';
import { addExports } from './export.commands.js';
import { addKeys } from './keys.commands.js';
import { addLedger } from './ledger.commands.js';
import { addModels } from './model.commands.js';
import { addObjects } from './object.commands.js';
import { addPlans } from './plan.commands.js';
import { programVersion } from './program.version.js';
import { addRounds } from './round.commands.js';
import { addReplicas } from './replica.commands.js';
import { addRosters } from './roster.commands.js';
import { addRuns } from './run.commands.js';
import { addSites } from './site.commands.js';
import { addStart } from './start.command.js';
import { addWatch } from './watch.command.js';

/** `coferment` with all its commands. @throws CommanderError from parsing: wrong use, or help or the version that was asked for */
export function operatorProgram(): Command {
  const program = new Command('coferment')
    .description('The operator of a consortium: start the coordinator, invite sites, publish plans, launch and watch runs.')
    .version(programVersion(), '--version', 'print the version')
    .exitOverride();
  addStart(program);
  addSites(program);
  addAuthorities(program);
  addPlans(program);
  addRuns(program);
  addControl(program);
  addWatch(program);
  addRosters(program);
  addEpochs(program);
  addRounds(program);
  addModels(program);
  addLedger(program);
  addExports(program);
  addKeys(program);
  addReplicas(program);
  addObjects(program);
  return program;
}
