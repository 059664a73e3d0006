import type { SecretFlags } from '@coferment/crypto';
import type { Command } from 'commander';
import { CommandOutput } from './command.output.js';
import { type OperatorClient, connect } from './operator.client.js';
import { readSecret, secretOptions } from './secret.options.js';

/** Options of every command that calls a running coordinator. */
export interface OperatorFlags extends SecretFlags {
  data: string;
  json?: boolean;
}

export function operatorOptions(command: Command): Command {
  return secretOptions(command).requiredOption('--data <dir>', "the coordinator's data folder").option('--json', 'print JSON');
}

/** Calls the coordinator, shows the answer, and turns every refusal into a message and an exit code. */
export async function callOperator(
  flags: OperatorFlags,
  work: (client: OperatorClient, output: CommandOutput) => Promise<void>,
): Promise<void> {
  const output = new CommandOutput(flags.json === true);
  let client: OperatorClient | undefined;
  try {
    client = await connect(flags.data, await readSecret(flags, flags.data));
    await work(client, output);
  } catch (error) {
    output.failure(error);
  } finally {
    client?.close();
  }
}
