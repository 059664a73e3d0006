export type BundleErrorCode =
  | 'wrong-option'
  | 'not-built'
  | 'node-download'
  | 'node-integrity'
  | 'not-an-elf'
  | 'signing-key'
  | 'unlisted-package'
  | 'too-large';

/** Why no archive was made. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
  readonly code: BundleErrorCode;

  constructor(code: BundleErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
