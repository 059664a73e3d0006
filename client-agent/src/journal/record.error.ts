/** Why a line, a head or an exported record cannot be believed. The message goes on after "Entry 7: " or the like. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}
