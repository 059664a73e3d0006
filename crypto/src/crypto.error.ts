/** Every reason for which this package refuses; the message carries the offending value. */
export type CryptoErrorCode =
  | 'not-loaded'
  | 'malformed'
  | 'out-of-range'
  | 'bad-signature'
  | 'wrong-key'
  | 'sealed-open-failed'
  | 'wrong-passphrase'
  | 'no-secret'
  | 'file-mode'
  | 'dealing-refused'
  | 'bad-committee'
  | 'bad-parameters'
  | 'self-check'
  | 'worker-lost';

export class CryptoError extends Error {
  constructor(
    readonly code: CryptoErrorCode,
    message: string,
  ) {
    super(message);
    this.name = 'CryptoError';
  }
}
