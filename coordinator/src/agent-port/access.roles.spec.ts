import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceDefinition } from '@grpc/grpc-js';
import * as proto from '@coferment/proto';
import { describe, expect, it } from 'vitest';
import { ACCESS, type Role, allows, rolesOf } from './access.roles.js';

const definitions = Object.entries(proto).flatMap(([name, value]) => (name.endsWith('ServiceService') ? [value as ServiceDefinition] : []));
const paths = definitions.flatMap((definition) => Object.values(definition).map(({ path }) => path));
const roles: readonly Role[] = ['stranger', 'operator', 'site', 'auditor'];

describe('the table of roles', () => {
  it.each([
    '',
    '/',
    'EnrolmentService/Join',
    '/coferment.v1.EnrolmentService/join',
    '/coferment.v1.EnrolmentService/Join/',
    '/coferment.v1.OperatorService/DropEverything',
    '/coferment.v2.LedgerService/GetEntries',
    '/coferment.v1.constructor',
    '/coferment.v1.__proto__',
  ])('is closed to everybody for what is no method: %j', (path) => {
    expect(rolesOf(path)).toEqual([]);
    for (const role of roles) expect(allows(path, role)).toBe(false);
  });

  it('has a row for every method of every service, and no other', () => {
    expect(paths.length).toBeGreaterThan(25);
    const methods = paths.map((path) => path.replace('/coferment.v1.', ''));
    expect(Object.keys(ACCESS).toSorted()).toEqual(methods.toSorted());
    for (const path of paths) expect(rolesOf(path), path).not.toEqual([]);
  });

  it('opens to strangers what a joiner or a site with an expired certificate needs, and nothing else', () => {
    const open = Object.keys(ACCESS).filter((method) => ACCESS[method]!.includes('stranger'));
    expect(open).toEqual(['EnrolmentService/Hello', 'EnrolmentService/Join', 'EnrolmentService/Renew']);
  });

  it("keeps the operator's calls to the operator", () => {
    for (const [method, allowed] of Object.entries(ACCESS))
      if (method.startsWith('OperatorService/')) expect(allowed).toEqual(['operator']);
  });

  it('is the one that docs/roles.md shows', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../docs/roles.md'), 'utf8');
    const rows = [...page.matchAll(/^\| (\w+\/\w+) \|(.*)\|$/gm)].map(
      ([, method, cells]) => [method!, cells!.split('|').map((cell) => cell.trim())] as const,
    );
    const shown = Object.entries(ACCESS).map(([method, allowed]) => {
      const isOpen = allowed.includes('stranger');
      return [method, roles.map((role) => (isOpen || allowed.includes(role) ? 'yes' : '–'))] as const;
    });
    expect(rows).toEqual(shown);
  });
});
