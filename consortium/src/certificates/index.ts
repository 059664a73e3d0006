export { type CertificateLife, renewalCheckMs, renewalIsDue, renewalRetryMs, renewalTimeMs } from './certificate-life.rule.js';
