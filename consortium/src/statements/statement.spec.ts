import { generateIdentity, signEnvelope } from '@coferment/crypto';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../context/members.fixture.js';
import { type PredicateName, predicates } from './predicates.js';
import { canonicalBytes, openStatement, parseEnvelope, parseStatement, signStatement, statementBytes } from './statement.js';

const identity = generateIdentity();
const plan = { consortium: 'test', plan: digestOf(1), name: 'penicillin' };
const bytes = (value: unknown) => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

describe('a statement', () => {
  it('opens with the key that signed it', () => {
    const opened = openStatement('plan-published', signStatement('plan-published', plan, identity), identity.publicKey);
    expect(opened.predicate).toEqual(plan);
  });
  it('never opens as another act', () => {
    const envelope = signStatement('plan-published', plan, identity);
    for (const name of Object.keys(predicates) as PredicateName[]) {
      if (name !== 'plan-published') expect(() => openStatement(name, envelope, identity.publicKey)).toThrow(`Expected a signed ${name}`);
    }
  });
  it('is refused with a field that its kind does not have', () => {
    expect(() => statementBytes('plan-published', { ...plan, batch: 'B-1' } as never)).toThrow('plan-published');
    const smuggled = bytes(JSON.stringify({ ...JSON.parse(new TextDecoder().decode(statementBytes('plan-published', plan))), note: 'x' }));
    expect(() => parseStatement(smuggled)).toThrow('malformed');
  });

  const good = new TextDecoder().decode(statementBytes('plan-published', plan));
  it.each([
    ['empty', bytes('')],
    ['not JSON', bytes('{"a":')],
    ['not UTF-8', Uint8Array.of(0xff, 0xfe)],
    ['of an unknown kind', bytes(good.replace('plan-published:v1', 'plan-burnt:v1'))],
    ['of an inherited name', bytes(good.replace('urn:coferment:plan-published:v1', 'urn:coferment:constructor:v1'))],
    ['not canonical', bytes(good.replace('{', '{ '))],
    ['with a subject of another predicate', bytes(good.replace(/"sha256":"[0-9a-f]{64}"/, `"sha256":"${digestOf(9)}"`))],
    ['too large', new Uint8Array(300_000)],
  ])('is refused when %s', (_, payload) => expect(() => parseStatement(payload)).toThrow());

  it('is refused when its signature is over other bytes', () => {
    const envelope = signStatement('plan-published', plan, identity);
    const other = signStatement('plan-published', { ...plan, name: 'lysine' }, identity);
    expect(() => openStatement('plan-published', { ...envelope, payload: other.payload }, identity.publicKey)).toThrow();
    expect(() => openStatement('plan-published', envelope, generateIdentity().publicKey)).toThrow();
  });
  it('is refused when signed bytes are not a statement at all', () => {
    expect(() => openStatement('plan-published', signEnvelope(canonicalBytes({ hello: 1 }), identity), identity.publicKey)).toThrow(
      'malformed',
    );
  });
  it.each([[null], [{}], [{ payloadType: 'x', payload: '', signatures: [] }]])('refuses %j as an envelope', (json) =>
    expect(() => parseEnvelope(json)).toThrow('envelope'),
  );
});
