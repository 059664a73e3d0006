/** Every way in which a site's records or its mapping file can be refused. Closed: the command line maps each code to an exit status. */
export type DataErrorCode =
  | 'invalid-mapping'
  | 'unknown-variable'
  | 'unknown-unit'
  | 'unit-mismatch'
  | 'missing-file'
  | 'wrong-encoding'
  | 'malformed-csv'
  | 'empty-file'
  | 'missing-column'
  | 'malformed-number'
  | 'malformed-time'
  | 'ambiguous-time'
  | 'nonexistent-time'
  | 'time-backwards'
  | 'conflicting-rows'
  | 'missing-batch'
  | 'overlapping-batches'
  | 'no-batches'
  | 'batch-without-samples'
  | 'batch-without-series'
  | 'phase-not-found';

/** Where in a site's files the trouble is. `line` is the line of the file, counted from 1, as an editor shows it. */
export interface DataPlace {
  readonly file?: string;
  readonly column?: string;
  readonly line?: number;
}

/** The import stopped and nothing was kept. The message says where, what was found there and what to do next. */
export class DataError extends Error {
  override readonly name = 'DataError';

  constructor(
    readonly code: DataErrorCode,
    message: string,
    readonly place: DataPlace = {},
  ) {
    super(`${describePlace(place)}${message}`);
  }
}

function describePlace({ file, column, line }: DataPlace): string {
  const parts = [
    ...(file === undefined ? [] : [file]),
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(column === undefined ? [] : [`column '${column}'`]),
  ];
  return parts.length === 0 ? '' : `${parts.join(', ')}: `;
}
