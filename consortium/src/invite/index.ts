export { certificateFingerprint, formatCertificateFingerprint } from './certificate.fingerprint.js';
export { identityWords, sameWords } from './identity.words.js';
export * from './invite.js';
export { joinMessage, renewMessage } from './possession.message.js';
export { companyName, companySchema, isPseudonym, MAX_COMPANY, type PseudonymOpening, pseudonymOf, saltSchema } from './pseudonym.js';
