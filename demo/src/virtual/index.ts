export { consortiumPlan } from './consortium-plan.js';
export { generateSite, type VirtualBatch, type VirtualSite } from './site.generator.js';
export type { SiteProfile } from './site.profile.js';
export { siteProfiles } from './site-profiles.catalogue.js';
export { writeSiteFiles } from './site-files.writer.js';
export { SITE_FILES } from './site.mapping.js';
