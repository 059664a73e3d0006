export { consistencyProof, provenOlderRoot, verifyConsistency, type ConsistencyClaim } from './consistency.proof.js';
export { inclusionProof, verifyInclusion, type InclusionClaim } from './inclusion.proof.js';
export { provenPrefix } from './proven.prefix.js';
export { isTreeSize } from './tree.size.js';
