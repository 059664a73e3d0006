import { Command } from 'commander';
import { addApprovalCommands } from './approval.commands.js';
import { exitCodeOf } from './command.output.js';
import { addDataCommands } from './data.commands.js';
import { addJournalCommands } from './journal.commands.js';
import { addMembershipCommands } from './membership.commands.js';
import { addReproduceCommand } from './reproduce.command.js';
import { addModelCommands } from './model.commands.js';
import { addServeCommand } from './serve.command.js';

const program = new Command('coferment-agent')
  .description("One site's agent: trains on the records of this site and lets nothing leave but encrypted sums' parts and signatures")
  .showHelpAfterError()
  .exitOverride();

addMembershipCommands(program);
addServeCommand(program);
addApprovalCommands(program);
addDataCommands(program);
addJournalCommands(program);
addReproduceCommand(program);
addModelCommands(program);
inheritExit(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}

/** Sub-commands are made before the settings of the root reach them. */
function inheritExit(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride().showHelpAfterError();
    inheritExit(child);
  }
}
