import 'reflect-metadata';
import { CommanderError } from 'commander';
import { EXIT } from './exit.codes.js';
import { operatorProgram } from './program.js';

// A report that Node writes when it crashes, or on a signal, would carry DATABASE_URL with its password out of the environment.
process.report.excludeEnv = true;

// Whoever closes the pipe early (`| head`) has seen enough: that is no error of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await operatorProgram().parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.usage;
}
