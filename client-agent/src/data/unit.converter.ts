import { DataError, type DataPlace } from './data.error.js';
import { ucumService } from './ucum.service.js';

/**
 * How plant screens write units, and the UCUM code meant. Only spellings with a single reading are here:
 * 'C' (coulomb in UCUM) and 'hr' stay errors, because guessing a unit is worse than asking.
 */
export const UNIT_ALIASES: Readonly<Record<string, string>> = {
  '°C': 'Cel',
  '℃': 'Cel',
  degC: 'Cel',
  '°F': '[degF]',
  rpm: '/min',
  'min-1': '/min',
  'min^-1': '/min',
  'h^-1': '/h',
  pH: '[pH]',
  '% sat': '%',
  'm³': 'm3',
};

/** A straight line from the recorded to the canonical unit: canonical = factor × recorded + offset. */
export interface UnitConverter {
  readonly from: string;
  readonly to: string;
  readonly factor: number;
  readonly offset: number;
}

/**
 * Finds the conversion once per column, so that reading a million cells costs a multiplication each.
 * @param recorded unit in the mapping file (UCUM, or a spelling of UNIT_ALIASES)
 * @param canonical UCUM unit of the standard
 * @throws DataError 'unknown-unit' | 'unit-mismatch'
 */
export function unitConverter(recorded: string, canonical: string, place: DataPlace): UnitConverter {
  const from = UNIT_ALIASES[recorded] ?? recorded;
  const validation = ucumService.validateUnitString(from);
  if (validation.status !== 'valid') {
    const hint = validation.msg.length > 0 ? ` (${validation.msg.join(' ').replaceAll(/\s+/g, ' ').trim()})` : '';
    throw new DataError(
      'unknown-unit',
      `'${recorded}' is not a unit of UCUM${hint}. Write the unit as UCUM does, for example '${canonical}'.`,
      place,
    );
  }
  if (from === canonical) return { from, to: canonical, factor: 1, offset: 0 };
  const zero = convert(from, 0, canonical);
  const one = convert(from, 1, canonical);
  const thousand = convert(from, 1000, canonical);
  if (zero === undefined || one === undefined || thousand === undefined) {
    throw new DataError(
      'unit-mismatch',
      `'${recorded}' cannot be converted to '${canonical}'. Correct the unit, or map this column to another variable.`,
      place,
    );
  }
  const factor = withoutBinaryNoise((thousand - zero) / 1000);
  const offset = withoutBinaryNoise(zero);
  if (Math.abs(factor + offset - one) > 1e-9 * Math.max(1, Math.abs(one))) {
    throw new DataError(
      'unit-mismatch',
      `'${recorded}' is on a scale that is not linear in '${canonical}'. Export the column in a linear unit.`,
      place,
    );
  }
  return { from, to: canonical, factor, offset };
}

export function toCanonical(converter: UnitConverter, recorded: number): number {
  return converter.factor === 1 ? recorded + converter.offset : recorded * converter.factor + converter.offset;
}

function convert(from: string, value: number, to: string): number | undefined {
  const result = ucumService.convertUnitTo(from, value, to);
  return result.status === 'succeeded' && result.toVal !== null && Number.isFinite(result.toVal) ? result.toVal : undefined;
}

/** UCUM's factors are products of binary fractions (1000 mmol comes out as 999.9999999999999); 13 digits are exact for every metric prefix. */
function withoutBinaryNoise(value: number): number {
  return Number(value.toPrecision(13));
}
