import { type Predicate, parseStatement } from '@coferment/consortium';
import { type Instruction, ObjectPurpose } from '@coferment/proto';
import { sha256Hex } from '@coferment/crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask } from '../cli/operator.client.js';
import { Presence } from '../rounds/presence.js';
import { TestCoordinator, workUntil } from '../testing/coordinator.fixture.js';
import { ScriptedSite } from '../testing/scripted-site.fixture.js';

/*
 * A site lost its keys in the middle of a run, and another identity has joined under its name (docs/joining.md). The run is between the others and the
 * identity that is gone, so the new one reads nothing of it, stores nothing for it, and does not make the old one look present.
 */
const coordinator = new TestCoordinator();
let sites: ScriptedSite[];
let replaced: ScriptedSite;
let run: string;
let dealing: Predicate<'dealing'>;
let masked: Uint8Array;

/** Works until the first site is asked to check a dealing of another one, and leaves that undone. */
async function untilDealt([first]: ScriptedSite[]): Promise<Predicate<'dealing'>> {
  const follow = first!.follow.bind(first);
  let asked: Predicate<'dealing'> | undefined;
  first!.follow = async (kind: NonNullable<Instruction['kind']>) => {
    if (kind.$case !== 'checkDealing') return follow(kind);
    const { predicate } = parseStatement(kind.checkDealing.dealing!.payload) as { predicate: Predicate<'dealing'> };
    if (predicate.site !== first!.site) asked = predicate;
  };
  await workUntil(sites, () => asked !== undefined);
  return asked!;
}

beforeAll(async () => {
  await coordinator.start();
  sites = await coordinator.join('alpha', 'beta', 'gamma');
  run = await coordinator.launch();
  dealing = await untilDealt(sites);
  masked = new Uint8Array(await sites[0]!.calls.download(dealing.masked));
  const { operator } = coordinator.operator;
  await ask(operator.revokeSite.bind(operator), { site: 'alpha', reason: 'passphrase lost' });
  replaced = await ScriptedSite.join(await coordinator.invite('alpha'));
});
afterAll(async () => {
  for (const { calls } of [...sites, replaced]) calls.close();
  await coordinator.remove();
});

it('a new identity under an old name reads nothing of the runs of the old one', async () => {
  const box = dealing.boxes.find(({ holder }) => holder === 'alpha')!['object']!;
  for (const object of [dealing.masked, box]) {
    await expect(replaced.calls.download(object)).rejects.toMatchObject({ code: 'unknown-object' });
  }
  // The others go on as before.
  await expect(sites[2]!.calls.download(dealing.masked)).resolves.toHaveLength(masked.length);
});

it('it stores nothing for them', async () => {
  const bytes = Uint8Array.from(masked, (byte) => byte ^ 1);
  const header = { digest: sha256Hex(bytes), size: bytes.length, offset: 0, purpose: ObjectPurpose.OBJECT_PURPOSE_DEALING_MASKED, run };
  await expect(replaced.calls.send(header, bytes)).rejects.toMatchObject({ code: 'forbidden' });
});

it('and its polls are not those of the old one', async () => {
  const presence = coordinator.running.context.get(Presence);
  const { lastMs } = presence.of(sites[0]!.member);
  await replaced.calls.poll([], '', 0);
  expect(presence.of(sites[0]!.member).lastMs).toBe(lastMs);
  expect(presence.of(replaced.member).lastMs).toBeGreaterThan(lastMs);
});
