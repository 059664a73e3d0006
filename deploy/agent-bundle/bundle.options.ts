import { parseArgs } from 'node:util';
import { BundleError } from './bundle.error.ts';
import { type Target, TARGETS } from './node.release.ts';

export interface BundleOptions {
  readonly targets: readonly Target[];
  readonly out: string;
  readonly signingKey?: string;
  readonly help: boolean;
}

export const USAGE = `Usage: npm run bundle:agent [-- options]

Makes the archive with which a plant installs the agent without npm or internet.

  --target <name>       ${TARGETS.join(' or ')}; may be given twice (default: this machine's)
  --out <dir>           where the release goes (default: deploy/out)
  --signing-key <file>  Ed25519 private key in PEM form; without it the release is signed by a throw-away key and called UNOFFICIAL
  --help                show this

Example:
  npm run bundle:agent -- --target linux-x64 --target linux-arm64 --signing-key /media/stick/release-key.pem
`;

/** @throws BundleError 'wrong-option' */
export function parseOptions(words: readonly string[], machine: { platform: string; arch: string }): BundleOptions {
  const { target, out, help, 'signing-key': signingKey } = parse(words);
  const names = target ?? [`${machine.platform}-${machine.arch}`];
  return {
    targets: TARGETS.filter((known) => names.map(targetOf).includes(known)),
    out: out ?? 'deploy/out',
    ...(signingKey === undefined ? {} : { signingKey }),
    help: help === true,
  };
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      options: {
        target: { type: 'string', multiple: true },
        out: { type: 'string' },
        'signing-key': { type: 'string' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (cause) {
    throw new BundleError('wrong-option', `${(cause as Error).message}\n\n${USAGE}`);
  }
}

function targetOf(name: string): Target {
  const target = TARGETS.find((known) => known === name);
  if (target === undefined)
    throw new BundleError(
      'wrong-option',
      `There is no bundle for "${name}"; give --target ${TARGETS.join(' or ')} (docs/platforms.md says why).`,
    );
  return target;
}
