import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { parseVkey } from '../note/index.js';
import { type WitnessPolicy, parsePolicy, policyOfLogKey } from '../policy/index.js';
import type { VerifyOptions } from '../verify/index.js';

/** Whose signatures count. */
export interface KeyFlags {
  key?: string;
  policy?: string;
  operatorKey?: string;
}

/** The options of every command that checks a ledger. */
export function keyOptions(command: Command): Command {
  return command
    .addOption(new Option('--key <vkey>', "the log's key (name+hash+base64) as you got it from outside this export").conflicts('policy'))
    .option('--policy <file>', 'a policy file (C2SP tlog-policy): log keys, witnesses and their quorum')
    .option('--operator-key <hex>', 'the key that must have founded the consortium');
}

/** @throws Error or LedgerError for a person to read */
export async function readKeys({ key, policy, operatorKey }: KeyFlags): Promise<Pick<VerifyOptions, 'policy' | 'operatorKey'>> {
  if (operatorKey !== undefined && !/^[0-9a-f]{64}$/.test(operatorKey)) {
    throw new Error(`--operator-key "${operatorKey}" is not 64 lower-case hexadecimal digits`);
  }
  return {
    ...(key === undefined ? {} : { policy: policyOfLogKey(parseVkey(key)) }),
    ...(policy === undefined ? {} : { policy: await readPolicy(policy) }),
    ...(operatorKey === undefined ? {} : { operatorKey }),
  };
}

async function readPolicy(file: string): Promise<WitnessPolicy> {
  const policy = parsePolicy(await readFile(file, 'utf8'));
  if (policy.logs.length === 0) throw new Error(`the policy in "${file}" names no log; add a line "log <vkey>"`);
  return policy;
}
