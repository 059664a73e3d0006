import { engineVersion } from '@coferment/learning';

export const AGENT_VERSION = '0.1.0';

/** What computes at this site: two of these that differ may round differently, so it is noted beside every training. */
export function softwareName(): string {
  return `coferment-agent ${AGENT_VERSION}, Node.js ${process.version}, TensorFlow.js ${engineVersion()}, ${process.platform} ${process.arch}`;
}
