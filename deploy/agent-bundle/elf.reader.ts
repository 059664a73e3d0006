import { BundleError } from './bundle.error.ts';

const SECTION_GNU_VERNEED = 0x6ffffffe;
const MACHINES: Readonly<Record<number, string>> = { 62: 'x64', 183: 'arm64' };
const HEADER_BYTES = 64;

export interface ElfFacts {
  readonly machine: string;
  /** Newest version of each symbol family that the program asks its libraries for, for example GLIBC → 2.28. */
  readonly needs: ReadonlyMap<string, string>;
}

/**
 * What a little-endian 64-bit ELF program asks of its machine: `.gnu.version_r` of the System V ABI (Linux Standard Base, "Symbol Versioning").
 * The oldest glibc a bundle runs on is read from here instead of being believed.
 * @throws BundleError 'not-an-elf'
 */
export function readElf(bytes: Buffer): ElfFacts {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32BE(0) !== 0x7f454c46 || bytes[4] !== 2 || bytes[5] !== 1)
    throw new BundleError('not-an-elf', 'This is no little-endian 64-bit ELF program.');
  const machine = MACHINES[bytes.readUInt16LE(18)] ?? `machine ${bytes.readUInt16LE(18)}`;
  const sections = readSections(bytes);
  const needs = new Map<string, string>();
  for (const { type, offset, link } of sections) {
    const strings = sections[link];
    if (type !== SECTION_GNU_VERNEED || strings === undefined) continue;
    for (const name of versionNames(bytes, offset, strings.offset)) keepNewest(needs, name);
  }
  return { machine, needs };
}

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly link: number;
}

function readSections(bytes: Buffer): Section[] {
  const table = Number(bytes.readBigUInt64LE(40));
  const [size, count] = [bytes.readUInt16LE(58), bytes.readUInt16LE(60)];
  if (table + size * count > bytes.length) throw new BundleError('not-an-elf', 'The section table of this program is cut off.');
  return Array.from({ length: count }, (_, index) => {
    const at = table + index * size;
    return { type: bytes.readUInt32LE(at + 4), offset: Number(bytes.readBigUInt64LE(at + 24)), link: bytes.readUInt32LE(at + 40) };
  });
}

/** Two linked lists: a library, and within it each version that is needed of it. */
function versionNames(bytes: Buffer, offset: number, strings: number): string[] {
  const names: string[] = [];
  for (let library = offset, next = 1; next !== 0; library += next) {
    let entry = library + bytes.readUInt32LE(library + 8);
    for (let left = bytes.readUInt16LE(library + 2); left > 0; left--) {
      const start = strings + bytes.readUInt32LE(entry + 8);
      names.push(bytes.toString('latin1', start, bytes.indexOf(0, start)));
      entry += bytes.readUInt32LE(entry + 12);
    }
    next = bytes.readUInt32LE(library + 12);
  }
  return names;
}

function keepNewest(needs: Map<string, string>, name: string): void {
  const [family, version] = name.split('_', 2);
  if (family === undefined || version === undefined || !/^[\d.]+$/.test(version)) return;
  const known = needs.get(family);
  if (known === undefined || version.localeCompare(known, 'en', { numeric: true }) > 0) needs.set(family, version);
}
