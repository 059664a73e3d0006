import { readFileSync } from 'node:fs';

/** The version in the manifest of this package. In a bundle made for a site, the bundle's own manifest stands in its place. */
export function programVersion(): string {
  const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return manifest.version;
}
