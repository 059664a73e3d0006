import type { EntitySchemaColumnOptions } from 'typeorm';

/** PostgreSQL's bigint comes back as text; all of ours are times in milliseconds or counts far below 2^53. */
const asNumber = { from: (value: string | null) => (value === null ? null : Number(value)), to: (value: number | null) => value };

export const text = { type: 'text' } as const satisfies EntitySchemaColumnOptions;
export const integer = { type: 'integer' } as const satisfies EntitySchemaColumnOptions;
export const big = { type: 'bigint', transformer: asNumber } as const satisfies EntitySchemaColumnOptions;
export const real = { type: 'double precision' } as const satisfies EntitySchemaColumnOptions;
export const flag = { type: 'boolean' } as const satisfies EntitySchemaColumnOptions;
export const json = { type: 'jsonb' } as const satisfies EntitySchemaColumnOptions;
export const bytes = { type: 'bytea' } as const satisfies EntitySchemaColumnOptions;
export const key = { primary: true } as const;
export const optional = { nullable: true } as const;
