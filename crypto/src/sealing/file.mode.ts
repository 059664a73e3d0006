/** What the system says of a file or folder. */
export interface FileRights {
  mode: number;
  uid: number;
  isFolder: boolean;
  /** The user that asks; undefined on Windows, whose access lists a mode does not show. */
  asker: number | undefined;
}

const OTHERS = 0o077;
const OTHERS_BUT_GROUP_READS = 0o037;

/**
 * Why a file that holds or opens keys may not be used, or undefined. Only its owner may have any right to it. One exception, PostgreSQL's for its
 * server keys: a file of root's that a service of another user reads through its group (0640), because that service cannot own what root maintains.
 * @returns a sentence with the command that mends it
 */
export function fileModeFault(path: string, rights: FileRights, { mayBeRootsWithGroup = false } = {}): string | undefined {
  const { mode, uid, isFolder, asker } = rights;
  if (asker === undefined) return undefined;
  const refused = mayBeRootsWithGroup && uid === 0 && asker !== 0 ? OTHERS_BUT_GROUP_READS : OTHERS;
  if ((mode & refused) === 0) return undefined;
  const wanted = isFolder ? '-R go-rwx' : refused === OTHERS ? '600' : '640';
  const shown = (mode & 0o777).toString(8).padStart(3, '0');
  return `${path} has the mode ${shown}: others than its owner can get at it. Nothing was opened. If they may have used that, replace the keys. Run: chmod ${wanted} ${quoted(path)}`;
}

function quoted(path: string): string {
  return /^[\w./@%+:,=-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}
