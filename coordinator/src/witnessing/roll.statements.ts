import { type PredicateName, type Statement, parseStatement } from '@coferment/consortium';
import type { RollRow } from './witnessing.entity.js';

const NAMES = ['charter', 'site-enrolled', 'site-revoked', 'site-left', 'witness-key'] as const satisfies readonly PredicateName[];
const TYPES = NAMES.map((name) => `"predicateType":"urn:coferment:${name}:v1"`);

/** Whether signed bytes say who may cosign. They are canonical JSON, in which a quotation mark inside a text is never bare: their kind stands there once. */
export function isOfRoll(payload: Buffer): boolean {
  return TYPES.some((type) => payload.includes(type));
}

export function statementsOfRoll(rows: readonly RollRow[]): Statement[] {
  return rows.map(({ payload }) => parseStatement(payload));
}
