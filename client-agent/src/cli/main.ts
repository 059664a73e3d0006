import { Command } from 'commander';
import { addApprovalCommands } from './approval.commands.js';
import { exitCodeOf } from './command.output.js';
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
import { addReproduceCommand } from './reproduce.command.js';
import { addServeCommand } from './serve.command.js';

// A report that Node writes when it crashes, or on a signal, would carry the password of a proxy out of the environment.
process.report.excludeEnv = true;

const program = new Command('coferment-agent')
  .description("One site's agent: trains on the records of this site and lets nothing leave but encrypted sums' parts and signatures")
  .version(programVersion(), '--version', 'print the version')
  .showHelpAfterError()
  .exitOverride();

addMembershipCommands(program);
addServeCommand(program);
addApprovalCommands(program);
addPolicyCommands(program);
addDataCommands(program);
addDoctorCommand(program);
addLedgerCommands(program);
addLeaveCommand(program);
addKeysCommands(program);
addModelCommands(program);
addJournalCommands(program);
addReproduceCommand(program);
inheritExit(program);

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
// A connection that got no answer to its TLS handshake cannot be closed (grpc-js) and would keep a command that is over from ending.
process.exit();

/** Sub-commands are made before the settings of the root reach them. */
function inheritExit(command: Command): void {
  for (const child of command.commands) {
    child.exitOverride().showHelpAfterError();
    inheritExit(child);
  }
}
