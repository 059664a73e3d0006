import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { siteIdSchema } from '@coferment/consortium';
import { parse as parseYaml } from 'yaml';
import { z } from 'zod';
import { DemoError } from '../errors/index.js';
import type { DemoConsortium } from './demo.consortium.js';

const path = z.string().min(1);

const consortiumSchema = z.strictObject({
  schema: z.literal(1),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'must be lower-case letters, digits and hyphens, at most 64'),
  /** Mapping files and the plan: relative to the consortium file. */
  sites: z
    .array(z.strictObject({ id: siteIdSchema, mapping: path }))
    .min(3)
    .max(12),
  plan: path,
});

/**
 * Reads a consortium file: which sites there are, how each reads its records, and the plan they train.
 * @throws DemoError 'bad-consortium' naming the file and what is wrong in it.
 */
export async function readConsortiumFile(file: string, data: string): Promise<DemoConsortium> {
  let document: unknown;
  try {
    document = parseYaml(await readFile(file, 'utf8'), { maxAliasCount: 0 });
  } catch (error) {
    throw new DemoError('bad-consortium', `The consortium file ${file} cannot be read: ${(error as Error).message}`);
  }
  const parsed = consortiumSchema.safeParse(document);
  if (!parsed.success) throw new DemoError('bad-consortium', `The consortium file ${file} is refused:\n${z.prettifyError(parsed.error)}`);
  const { name, sites, plan } = parsed.data;
  const ids = sites.map((site) => site.id);
  const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
  if (repeated !== undefined) throw new DemoError('bad-consortium', `The consortium file ${file} lists the site "${repeated}" twice.`);
  const beside = (relative: string): string => resolve(dirname(file), relative);
  return {
    name,
    sites: sites.map(({ id, mapping }) => ({ id, mappingFile: beside(mapping), recordsFolder: data })),
    planText: await readText(beside(plan)),
  };
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new DemoError('bad-consortium', `The plan ${file} cannot be read: ${(error as Error).message}`);
  }
}
