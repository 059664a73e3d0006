import type { Command } from 'commander';
import { makeReplica } from '../replicas/replica.folder.js';
import { CommandOutput } from './command.output.js';

interface ReplicaFlags {
  data: string;
  out: string;
  json?: boolean;
}

export function addReplicas(program: Command): void {
  program
    .command('replica')
    .description('Further coordinators of a consortium whose database is on a server.')
    .command('make')
    .description('Make the data folder of a further coordinator. The first one may run meanwhile.')
    .requiredOption('--data <dir>', 'data folder of a coordinator of the consortium')
    .requiredOption('--out <dir>', 'data folder to make')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  coferment replica make --data ./coordinator --out ./coordinator-b')
    .action(runMake);
}

async function runMake(flags: ReplicaFlags): Promise<void> {
  const output = new CommandOutput(flags.json === true);
  try {
    const { consortium, id } = await makeReplica(flags.data, flags.out);
    output.result(
      { consortium, replica: id, out: flags.out },
      `The data folder of another coordinator of "${consortium}" is in ${flags.out}. It holds the keys: bring it to its machine over a channel that you trust.\nStart it there, with DATABASE_URL as for the first one: coferment start --data ${flags.out} --objects DIR --listen HOST:PORT`,
    );
  } catch (error) {
    output.failure(error);
  }
}
