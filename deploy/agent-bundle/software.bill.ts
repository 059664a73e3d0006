import type { BundledPackage } from './bundled.packages.ts';

export interface BillSubject {
  readonly name: string;
  readonly version: string;
}

/**
 * What is in a bundle, as CycloneDX 1.5 JSON (https://cyclonedx.org/docs/1.5/json/), for a plant's vulnerability scanner. Without time and serial
 * number: the same content gives the same bytes.
 */
export function softwareBill(
  subject: BillSubject,
  packages: readonly BundledPackage[],
  node: { name: string; version: string; integrity: string },
): string {
  const bill = {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    version: 1,
    metadata: { component: { type: 'application', 'bom-ref': subject.name, ...subject, licenses: [{ expression: 'Apache-2.0' }] } },
    components: [
      {
        type: 'platform',
        ...identified(node),
        cpe: `cpe:2.3:a:nodejs:node.js:${node.version}:*:*:*:-:*:*:*`,
        hashes: hashes(node.integrity),
      },
      ...packages.map((each) => ({
        type: 'library',
        ...identified(each),
        licenses: [{ expression: each.licence }],
        hashes: hashes(each.integrity),
      })),
    ],
  };
  return `${JSON.stringify(bill, undefined, 2)}\n`;
}

function identified({ name, version }: { name: string; version: string }) {
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`;
  return { 'bom-ref': purl, name, version, purl };
}

/** The hash of the npm package, not of what the bundler took out of it. */
function hashes(integrity: string): { alg: 'SHA-512'; content: string }[] {
  return [{ alg: 'SHA-512', content: Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex') }];
}
