/**
 * The command of an installed program. It finds the Node of its own folder through every symbolic link, so an upgrade that switches `current` under a
 * running agent changes nothing for it, and no Node of the machine is ever asked.
 */
export function launcherText(main: string): string {
  return `#!/bin/sh
set -eu
here=$(dirname -- "$(readlink -f -- "$0")")
exec "$here/node" --disable-warning=ExperimentalWarning "$here/../${main}" "$@"
`;
}
