import { findVariable, VARIABLES } from '@coferment/consortium';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { DataError } from './data.error.js';
import { mappingSchema, type Mapping, type MappingClock, type MappingSource, type MappingTime } from './mapping.schema.js';
import { nearestName } from './nearest-name.js';
import { checkZone } from './time.reader.js';
import { unitConverter } from './unit.converter.js';

const VARIABLE_NAMES = VARIABLES.map((variable) => variable.name);
const LONGEST_MAPPING = 1_000_000;

/**
 * Reads a mapping file and checks everything that can be known without the data.
 * @param file its name, for messages
 * @throws DataError 'invalid-mapping' | 'unknown-variable' | 'unknown-unit' | 'unit-mismatch'
 */
export function parseMapping(text: string, file: string): Mapping {
  if (text.length > LONGEST_MAPPING)
    throw new DataError('invalid-mapping', 'a mapping file of more than a million characters is not a mapping file.', { file });
  const document = parseDocument(text);
  const trouble = document.errors[0] ?? document.warnings[0];
  if (trouble !== undefined) {
    const line = trouble.linePos === undefined ? {} : { line: trouble.linePos[0].line };
    throw new DataError('invalid-mapping', `this is not YAML: ${trouble.message.split('\n')[0] ?? ''}`, { file, ...line });
  }
  const parsed = mappingSchema.safeParse(document.toJS({ maxAliasCount: 50 }), { reportInput: true });
  if (!parsed.success) throw new DataError('invalid-mapping', parsed.error.issues.map(describeIssue).join('; '), { file });
  checkMeaning(parsed.data, file);
  return parsed.data;
}

function describeIssue(issue: z.core.$ZodIssue): string {
  const path = issue.path.join('.');
  if (issue.code === 'unrecognized_keys') return path === '' ? issue.message : `${path}: ${issue.message}`;
  if (issue.input === undefined) return `${path} is missing; it ${issue.message}`;
  const shown = JSON.stringify(issue.input);
  return `${path} = ${shown.length > 80 ? `${shown.slice(0, 77)}...` : shown} ${issue.message}`;
}

function checkMeaning(mapping: Mapping, file: string): void {
  const refuse = (message: string): never => {
    throw new DataError('invalid-mapping', message, { file });
  };
  const names = new Set<string>();
  for (const source of mapping.sources) {
    if (names.has(source.name)) refuse(`two sources are called '${source.name}'. Give each its own name.`);
    names.add(source.name);
    checkSource(mapping, source, file, refuse);
  }
  if (mapping.batchTable !== undefined) {
    checkDelimiter('batchTable', mapping.batchTable, refuse);
    checkTime('batchTable.start', mapping.batchTable.start, mapping, file, refuse);
    checkTime('batchTable.end', mapping.batchTable.end, mapping, file, refuse);
    if (!mapping.sources.some((source) => 'byTable' in source.batch))
      refuse('batchTable is given, but no source uses it (batch: { byTable: true }).');
  }
  const online = new Set(mapping.sources.flatMap((source) => (source.role === 'online' ? Object.keys(source.columns) : [])));
  for (const [phase, rule] of Object.entries(mapping.phases)) {
    const variable = 'whenAbove' in rule ? rule.whenAbove.variable : 'whenBelow' in rule ? rule.whenBelow.variable : undefined;
    if (variable !== undefined && !online.has(variable))
      refuse(`phases.${phase}: no online source maps '${variable}', so the phase cannot be found from it.`);
  }
}

function checkSource(mapping: Mapping, source: MappingSource, file: string, refuse: (message: string) => never): void {
  const at = `source '${source.name}'`;
  checkDelimiter(at, source, refuse);
  if (source.role === 'offline' && source.align !== undefined)
    refuse(`${at}: align is for online sources; laboratory samples are never put on a grid.`);
  if (source.role === 'online' && source.join !== undefined) refuse(`${at}: join is for offline sources.`);
  if ('byTable' in source.batch) {
    if (mapping.batchTable === undefined) refuse(`${at}: batch is byTable, but the mapping has no batchTable.`);
    if (source.time.format === 'hours' || source.time.format === 'minutes')
      refuse(`${at}: a batch table has clock times, so time must be iso, local or excel-serial.`);
  }
  checkTime(`${at}, time`, source.time, mapping, file, refuse);
  const used = new Set<string>();
  for (const [variable, column] of Object.entries(source.columns)) {
    const canonical = findVariable(variable);
    if (canonical === undefined) {
      const nearest = nearestName(variable, VARIABLE_NAMES);
      const hint = nearest === undefined ? `Known: ${VARIABLE_NAMES.join(', ')}.` : `Did you mean '${nearest}'?`;
      throw new DataError('unknown-variable', `${at}: '${variable}' is not a variable of the standard. ${hint}`, { file });
    }
    if (used.has(column.column)) refuse(`${at}: column '${column.column}' is mapped twice.`);
    used.add(column.column);
    unitConverter(column.unit, canonical.unit, { file, column: column.column });
  }
}

function checkDelimiter(at: string, layout: Pick<MappingSource, 'delimiter' | 'decimal'>, refuse: (message: string) => never): void {
  if (layout.delimiter === layout.decimal) refuse(`${at}: '${layout.decimal}' cannot be both the delimiter and the decimal mark.`);
}

function checkTime(at: string, time: MappingTime | MappingClock, mapping: Mapping, file: string, refuse: (message: string) => never): void {
  if ('zone' in time && time.zone !== undefined) checkZone(time.zone, { file });
  if (time.format === 'local') {
    const tokens = time.pattern.replaceAll(/'[^']*'/g, '');
    if (/[zZ]/.test(tokens)) refuse(`${at}: a pattern with an offset is not a local time. Write the column as format: iso.`);
    if (!/y/.test(tokens) || !/[ML]/.test(tokens) || !/d/.test(tokens))
      refuse(`${at}: the pattern '${time.pattern}' must hold year, month and day (yyyy, MM, dd).`);
  }
  if ('since' in time && time.since !== 'batch-start' && mapping.phases[time.since] === undefined) {
    refuse(
      `${at}: time is counted from '${time.since}', so phases must say when it begins, for example phases: { ${time.since}: { atHour: 0 } }.`,
    );
  }
}
