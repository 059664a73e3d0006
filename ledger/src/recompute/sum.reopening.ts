import { join } from 'node:path';
import type { Roster } from '@coferment/consortium';
import { ciphertextBytes, parameterSet, shareBytes } from '@coferment/crypto';
import { type NamedObject, objectPath, stateOf } from '../export/index.js';
import { DamagedFile, type Difference, openStoredSum, type OpeningHands, type StoredOpening } from '../opening/index.js';
import type { CheckProblem, Recorded } from '../verify/index.js';
import type { MissingObject } from './recomputation.report.js';
import type { PublishedSum } from './run.record.js';

export interface Reopening {
  readonly folder: string;
  readonly sum: PublishedSum;
  /** Of the key epoch in which it was opened. */
  readonly roster: Roster;
  /** In every vector of the sum. */
  readonly coefficients: number;
  readonly blocks: number;
  readonly hands: OpeningHands;
  /** What the ledger calls an object, for messages about one that stands in the place of another. */
  readonly nameOf: (digest: string) => string | undefined;
}

export interface Reopened {
  readonly problems: CheckProblem[];
  readonly missing: MissingObject[];
  /** The published sum itself is there, unchanged: models can be computed from it. */
  readonly sumIsRight: boolean;
}

/** An upload or share, with what its site signed about it. */
type Signed = NamedObject & { readonly site: string; readonly merkleRoot: string; readonly path: string };

/**
 * Opens every block of a published sum again, from the uploads of exactly the counted sites and the shares that its aggregate names, and compares it with what
 * was published. Everything that is wrong or missing is named before anything is opened.
 */
export async function reopenSum(reopening: Reopening): Promise<Reopened> {
  const { folder, sum, roster, coefficients } = reopening;
  const { parameters } = roster;
  const problems: CheckProblem[] = [...agreementProblems(reopening)];
  const missing: MissingObject[] = [];
  const published = sumObject(sum, coefficients);
  const signed = (recorded: Recorded<'contribution'> | Recorded<'share'>, what: string, size: number): Signed => {
    const { site, object: digest, merkleRoot } = recorded.predicate;
    const entry = `entry ${recorded.index} (${recorded.name})`;
    return { site, what: `${what} of "${site}"`, entry, digest, size, merkleRoot, path: join(folder, objectPath(digest)) };
  };
  const uploads = sum.uploads.map((upload) => signed(upload, 'the upload', ciphertextBytes(coefficients, parameters)));
  const shares = sum.shares.map((share) => signed(share, 'the decryption share', shareBytes(coefficients, parameters)));

  const look = async (object: NamedObject): Promise<boolean> => {
    const found = await stateOf(folder, object);
    const { entry, what, digest, size } = object;
    const path = objectPath(digest);
    if (found.state === 'missing') missing.push({ path, what, entry });
    if (found.state === 'changed') {
      const other = found.found === digest ? undefined : reopening.nameOf(found.found);
      const bytes = size === undefined || size === found.size ? '' : ` It has ${found.size} bytes; it must have ${size}.`;
      const instead = other === undefined ? `its SHA-256 is ${found.found}` : `these are the bytes of ${other}`;
      problems.push({ where: `${path}, named in ${entry}`, problem: `${what} is not what was signed: ${instead}.${bytes}` });
    }
    return found.state === 'right';
  };
  const sumIsRight = await look(published);
  let inputsAreRight = true;
  for (const object of [...uploads, ...shares]) if (!(await look(object))) inputsAreRight = false;
  if (!sumIsRight || !inputsAreRight) return { problems, missing, sumIsRight };

  const positions = new Map(roster.keyHolders.map(({ site }, position) => [site, position]));
  const stored = {
    parameters,
    coefficients,
    uploads,
    shares: new Map(shares.map((share) => [positions.get(share.site)!, share])),
    sum: { do: 'compare', path: join(folder, objectPath(published.digest)) } as const,
  };
  try {
    const opening = await openStoredSum(stored, reopening.hands);
    problems.push(...openingProblems(opening, reopening, uploads, shares));
  } catch (error) {
    // The bytes are those of the signed object, so it is the signature that does not fit: to digest and Merkle root of different bytes.
    const object = error instanceof DamagedFile ? [...uploads, ...shares].find(({ path }) => path === error.path) : undefined;
    if (object === undefined) throw error;
    problems.push({
      where: `${object.entry}, ${objectPath(object.digest)}`,
      problem: `${object.what} is not what was signed: ${(error as Error).message}`,
    });
  }
  return { problems, missing, sumIsRight };
}

/** The published sum itself: one 64-bit word a coefficient. */
export function sumObject({ aggregate }: PublishedSum, coefficients: number): NamedObject {
  const { sum, sumObject: digest } = aggregate.predicate;
  return { what: `the published sum ${sum}`, entry: `entry ${aggregate.index} (aggregate)`, digest, size: coefficients * 8 };
}

/** What was signed about the form of uploads and shares is what the plan makes of them. */
function agreementProblems({ sum, roster, blocks }: Reopening): CheckProblem[] {
  const { droppedBits } = roster.parameters;
  const problems: CheckProblem[] = [];
  for (const { index, name, predicate } of [...sum.uploads, ...sum.shares]) {
    const where = `entry ${index} (${name})`;
    if (predicate.blocks !== blocks)
      problems.push({ where, problem: `"${predicate.site}" signed for ${predicate.blocks} blocks; this sum has ${blocks}` });
    if ('droppedBits' in predicate && predicate.droppedBits !== droppedBits)
      problems.push({
        where,
        problem: `"${predicate.site}" signed for ${predicate.droppedBits} dropped bits; the roster says ${droppedBits}`,
      });
  }
  return problems;
}

function openingProblems(
  opening: StoredOpening,
  { sum, roster }: Reopening,
  uploads: readonly Signed[],
  shares: readonly Signed[],
): CheckProblem[] {
  const aggregate = `entry ${sum.aggregate.index} (aggregate)`;
  if (opening.ok) return opening.difference === undefined ? [] : [differenceProblem(opening.difference, sum, roster)];
  switch (opening.reason) {
    case 'parity': {
      const liars = opening.wrong.map((position) => roster.keyHolders[position]!.site);
      if (liars.length === 0)
        return [
          {
            where: aggregate,
            problem: `the ${shares.length} decryption shares do not fit together; so few cannot show whose is wrong (threshold ${roster.numbers.tau})`,
          },
        ];
      return shares
        .filter(({ site }) => liars.includes(site))
        .map(({ what, entry, digest }) => ({
          where: `${entry}, ${objectPath(digest)}`,
          problem: `${what} is wrong: the others fit together, and open the sum, without it`,
        }));
    }
    case 'residual':
      return [
        {
          where: aggregate,
          problem:
            'its uploads and decryption shares do not open to any sum: one of them is not of this sum and set, and nothing shows whose',
        },
      ];
    case 'malformed': {
      const upload = opening.upload === undefined ? undefined : uploads[opening.upload];
      const where = upload === undefined ? aggregate : `${upload.entry}, ${objectPath(upload.digest)}`;
      return [{ where, problem: `${upload?.what ?? 'a decryption share'} is none that an honest site makes: ${opening.detail}` }];
    }
  }
}

function differenceProblem({ coefficient, published, opened }: Difference, { aggregate }: PublishedSum, roster: Roster): CheckProblem {
  const block = Math.floor(coefficient / parameterSet(roster.parameters.set).degree);
  return {
    where: `entry ${aggregate.index} (aggregate), ${objectPath(aggregate.predicate.sumObject)}`,
    problem: `coefficient ${coefficient} (block ${block}) was published as ${published}; the uploads and decryption shares open to ${opened}`,
  };
}
