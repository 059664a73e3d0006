/**
 * Preloaded into every process the demo starts. The demo may itself be killed with SIGKILL and then cannot stop anything; the operating system closes
 * the channel between the two in every case, and the child ends by itself.
 */
if (process.channel !== undefined) {
  process.once('disconnect', () => {
    process.kill(process.pid, 'SIGTERM');
    setTimeout(() => process.exit(1), 3000).unref();
  });
  // Watching must not keep a command alive that has done its work.
  process.channel.unref();
}
