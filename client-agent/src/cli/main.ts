import { exitCodeOf } from './command.output.js';
import { agentProgram } from './program.js';

// A report that Node writes when it crashes, or on a signal, would carry the password of a proxy out of the environment.
process.report.excludeEnv = true;

// Whoever closes the pipe early (`| head`) has seen enough: that is no error of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  await agentProgram().parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
}
// A connection that got no answer to its TLS handshake cannot be closed (grpc-js) and would keep a command that is over from ending.
process.exit();
