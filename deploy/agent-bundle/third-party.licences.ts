import type { BundledPackage } from './bundled.packages.ts';

const RULE = '='.repeat(100);

/** Licences of everything in a bundle that is not Coferment's, in one text file. */
export function licencesText(packages: readonly BundledPackage[], node: { version: string; licence: string }): string {
  const parts = [
    'Software of others in this archive. Coferment itself is under the Apache License 2.0, in the file LICENSE.',
    ...packages.map(describePackage),
    `${RULE}\nNode.js ${node.version}, with everything built into it\n${RULE}\n\n${node.licence.trim()}`,
  ];
  return `${parts.join('\n\n')}\n`;
}

function describePackage({ name, version, licence, texts }: BundledPackage): string {
  const heading = `${RULE}\n${name} ${version} (${licence})\n${RULE}`;
  if (texts.length === 0) return `${heading}\n\nThe package carries no licence text of its own; it is under ${licence}.`;
  return [heading, ...texts.map(({ file, text }) => `${file}:\n\n${text}`)].join('\n\n');
}
