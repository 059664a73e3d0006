import { type Command, Option } from 'commander';
import type { StartOptions } from '../coordinator.start.js';
import { LOG_LEVELS, LOG_PLACES, type LogLevel, type LogPlace } from '../telemetry/log.settings.js';

/** What shows others how the coordinator is. */
export interface MonitorFlags {
  monitorListen?: string;
  monitorOpen?: boolean;
  log: LogPlace;
  logLevel: LogLevel;
}

export function monitorOptions(command: Command): Command {
  return command
    .option('--monitor-listen <host:port>', 'serve Prometheus metrics and health there, e.g. 127.0.0.1:9463; without it nowhere')
    .option(
      '--monitor-open',
      'let --monitor-listen be an address that other machines reach: who reaches it reads site names, without a password',
    )
    .addOption(new Option('--log <where>', 'coordinator.log of the data folder, or standard output').choices(LOG_PLACES).default('file'))
    .addOption(new Option('--log-level <level>', 'the least that is written').choices(LOG_LEVELS).default('info'));
}

export function monitorOf({ monitorListen, monitorOpen, log, logLevel }: MonitorFlags): Pick<StartOptions, 'monitor' | 'log' | 'logLevel'> {
  const monitor = monitorListen === undefined ? {} : { monitor: { listen: monitorListen, open: monitorOpen === true } };
  return { ...monitor, log, logLevel };
}
