import { describe, expect, it } from 'vitest';
import { requireCoordinatorVersion } from './version.rule.js';

describe('a coordinator', () => {
  it.each(['1.0', '1.1', '1.2'])('that speaks wire version %s is followed', (version) => {
    expect(() => requireCoordinatorVersion(version)).not.toThrow();
  });

  it.each(['1.3', '2.0', '0.9', '', '1.0.0'])('that speaks "%s" is left, and both versions are named', (version) => {
    expect(() => requireCoordinatorVersion(version)).toThrow(
      expect.objectContaining({
        code: 'version-mismatch',
        message: expect.stringMatching(new RegExp(`1\\.1, the coordinator ${version}:`)),
      }),
    );
  });
});
