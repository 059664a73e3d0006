import { runAudit } from './audit.command.js';

process.exitCode = await runAudit(process.argv.slice(2), {
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
});
