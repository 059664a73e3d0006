import { DataError, type DataPlace } from './data.error.js';

const WITH_POINT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const WITH_COMMA = /^[+-]?(?:\d+,?\d*|,\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Reads one cell. There is no tolerance on purpose: '1.234' is 1.234 or 1234 depending on the plant, so the mapping declares the decimal mark.
 * @returns undefined for an empty cell or a declared missing code
 * @throws DataError 'malformed-number'
 */
export function readNumber(cell: string, decimal: '.' | ',', missing: readonly string[], place: DataPlace): number | undefined {
  const text = cell.trim();
  if (text === '' || missing.includes(text)) return undefined;
  const [own, other] = decimal === '.' ? [WITH_POINT, WITH_COMMA] : [WITH_COMMA, WITH_POINT];
  const value = own.test(text) ? Number(text.replace(',', '.')) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new DataError(
    'malformed-number',
    `'${text}' is not a number with '${decimal}' as decimal mark. ${advice(text, decimal, other)}`,
    place,
  );
}

function advice(text: string, decimal: '.' | ',', other: RegExp): string {
  if (other.test(text))
    return `If the file is written with '${decimal === '.' ? ',' : '.'}', set decimal: '${decimal === '.' ? ',' : '.'}' for this source.`;
  if (/^[+-]?\d{1,3}([.,' ]\d{3})+/.test(text)) return 'Export the file without thousands separators.';
  return `If it means "no value", add it to this column's list: missing: ['${text}'].`;
}
