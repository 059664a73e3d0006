import { describe, expect, it } from 'vitest';
import { toCanonical, unitConverter } from './unit.converter.js';

const convert = (value: number, from: string, to: string) => toCanonical(unitConverter(from, to, {}), value);

describe('units as plants record them', () => {
  it.each([
    [308.077, 'K', 'Cel', 34.927],
    [0, 'K', 'Cel', -273.15],
    [98.6, '[degF]', 'Cel', 37],
    [37, '°C', 'Cel', 37],
    [37, 'degC', 'Cel', 37],
    [250, 'mL/h', 'L/h', 0.25],
    [3, 'L/min', 'L/h', 180],
    [1, 'm3/h', 'L/min', 1000 / 60],
    [500, 'rpm', '/min', 500],
    [10, '/s', '/min', 600],
    [7.1, 'pH', '[pH]', 7.1],
    [0.209, '1', '%', 20.9],
    [1013.25, 'mbar', 'bar', 1.01325],
    [14.5, '[psi]', 'bar', 0.99973980751],
    [5, 'mg/mL', 'g/L', 5],
    [2, 'mol/L/h', 'mmol/L/h', 2000],
    [5, 'g/l', 'g/L', 5],
  ])('%f %s is in %s %f', (value, from, to, expected) => {
    expect(convert(value, from, to)).toBeCloseTo(expected, 8);
  });

  it('leaves a column that is already in the standard unit bit for bit', () => {
    expect(convert(0.1 + 0.2, 'L', 'L')).toBe(0.1 + 0.2);
  });

  it.each([
    ['banana', 'g/L', 'unknown-unit'],
    ['ml/hr', 'L/h', 'unknown-unit'],
    ['psi', 'bar', 'unknown-unit'],
    ['g', 'L', 'unit-mismatch'],
    ['mol/L', '[pH]', 'unit-mismatch'],
    ['C', 'Cel', 'unit-mismatch'],
  ])('%s for %s is refused as %s', (from, to, code) => {
    expect(() => unitConverter(from, to, { file: 'a.csv', column: 'x' })).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining("a.csv, column 'x'") }),
    );
  });
});
