import { Command } from 'commander';
import { addApprovalCommands } from './approval.commands.js';
import { addDataCommands } from './data.commands.js';
import { addDoctorCommand } from './doctor.command.js';
import { addLeaveCommand } from './leave.command.js';
import { addLedgerCommands } from './ledger.commands.js';
import { addKeysCommands } from './keys.commands.js';
import { addJournalCommands } from './journal.commands.js';
import { addMembershipCommands } from './membership.commands.js';
import { addModelCommands } from './model.commands.js';
import { addPolicyCommands } from './policy.commands.js';
import { programVersion } from './program.version.js';
import { addReceiptsCommands } from './receipts.commands.js';
import { addReproduceCommand } from './reproduce.command.js';
import { addSetCommands } from './set.commands.js';
import { addServeCommand } from './serve.command.js';

/** `coferment-agent` with all its commands. @throws CommanderError from parsing: wrong use, or help or the version that was asked for */
export function agentProgram(): Command {
  const program = new Command('coferment-agent')
    .description("One site's agent: trains on the records of this site and lets nothing leave but encrypted sums' parts and signatures")
    .version(programVersion(), '--version', 'print the version')
    .showHelpAfterError()
    .exitOverride();
  addMembershipCommands(program);
  addServeCommand(program);
  addApprovalCommands(program);
  addSetCommands(program);
  addPolicyCommands(program);
  addDataCommands(program);
  addDoctorCommand(program);
  addLedgerCommands(program);
  addLeaveCommand(program);
  addKeysCommands(program);
  addModelCommands(program);
  addJournalCommands(program);
  addReceiptsCommands(program);
  addReproduceCommand(program);
  return program;
}
