import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ask } from '../../coordinator/src/cli/operator.client.js';
import { ConsortiumIdentity } from '../../coordinator/src/identity/consortium.identity.js';
import { TestCoordinator } from '../../coordinator/src/testing/coordinator.fixture.js';
import { isIssuedBy } from '../../client-agent/src/enrolment/certificate.request.js';
import { JoinedAgent } from './joined.agent.fixture.js';

/** Rollovers cost seconds; the full run has more of them. */
const FULL = process.env['SOVEREIGNTY_FULL'] === '1';
const coordinator = new TestCoordinator();
const agents = new Map<string, JoinedAgent>();
let inviteFromBefore: string;

beforeAll(async () => {
  await coordinator.start();
  for (const site of ['alder', 'birch', 'cedar', 'dogwood']) agents.set(site, await JoinedAgent.join(await coordinator.invite(site)));
  inviteFromBefore = await coordinator.invite('elm');
});
afterAll(async () => {
  for (const agent of agents.values()) if (agent.client !== undefined) agent.stop();
  await coordinator.remove();
});

const agent = (site: string) => agents.get(site)!;
const newest = () => coordinator.running.context.get(ConsortiumIdentity).authority.certificate;
const bundle = (site: string) => agent(site).member.caCertificate.match(/-----BEGIN CERTIFICATE-----/g)?.length;

async function operate<T>(work: (operator: TestCoordinator['operator']['operator']) => Promise<T>): Promise<T> {
  await coordinator.reconnect();
  return work(coordinator.operator.operator);
}
const roll = () => operate((operator) => ask(operator.rollAuthority.bind(operator), {}));
const retire = (force: boolean) => operate((operator) => ask(operator.retireAuthority.bind(operator), { force }));
const taken = async (site: string) =>
  (await operate((operator) => ask(operator.getStatus.bind(operator), {}))).sites.find((row) => row.site === site)?.authorities;

/** It has a certificate of the newest authority, believes what the act says, and has said so. */
async function expectUpToDate(site: string, sequence: number, authorities: number): Promise<void> {
  expect(agent(site).member.authorities).toBe(sequence);
  expect(bundle(site)).toBe(authorities);
  expect(isIssuedBy(agent(site).pair.certificate, newest())).toBe(true);
  expect(await taken(site)).toBe(sequence);
}

describe('a rollover of the authority', () => {
  it('reaches an agent that is connected in its poll, which is not held any longer', async () => {
    const birch = agent('birch').start();
    const { owed } = await birch.poll();
    const held = birch.poll(20_000, owed);
    await roll();
    await expect(held).resolves.toMatchObject({ authorities: 1 });
    await birch.catchUp();
    await expectUpToDate('birch', 1, 2);
  });

  it('does not reach agents that are away, and its overlap does not end without them unless it must', async () => {
    const behind = expect.stringMatching(/alder.*cedar.*dogwood/);
    await expect(retire(false)).rejects.toMatchObject({ code: 'sites-behind', message: behind });
  });

  it('lets an agent in that was away and only knows the old authority, with its old certificate', async () => {
    const cedar = agent('cedar').start();
    await expect(cedar.poll()).resolves.toMatchObject({ authorities: 1 });
    await cedar.catchUp();
    await expectUpToDate('cedar', 1, 2);
  });

  it('is made good by an agent that was killed between storing its new pair and what it believes', async () => {
    const birch = agent('birch');
    const file = join(birch.folder, 'member.json');
    const now = JSON.parse(readFileSync(file, 'utf8')) as { authorities?: number; caCertificate: string };
    const { caCertificate } = agent('alder').member;
    delete now.authorities;
    birch.stop();
    writeFileSync(file, JSON.stringify({ ...now, caCertificate }));
    birch.start();
    await birch.catchUp();
    await expectUpToDate('birch', 1, 2);
  });

  it('ends, and agents that were connected drop the old authority', async () => {
    expect(await retire(true)).toEqual({ sequence: 2, behind: ['alder', 'dogwood'] });
    for (const site of ['birch', 'cedar']) {
      await agent(site).catchUp();
      await expectUpToDate(site, 2, 1);
    }
  });

  it('lets an agent back in after its end, whose certificate opens nothing and who only knows the old authority', async () => {
    const alder = agent('alder').start();
    await expect(alder.poll()).rejects.toMatchObject({ code: 'certificate-refused' });
    await alder.catchUp();
    await expectUpToDate('alder', 2, 1);
  });

  it('lets somebody join with an invite from before it', async () => {
    agents.set('elm', await JoinedAgent.join(inviteFromBefore));
    expect(agent('elm').member.authorities).toBe(2);
    expect(bundle('elm')).toBe(1);
    await agent('elm').start().catchUp();
    await expectUpToDate('elm', 2, 1);
  });

  it.runIf(FULL)('may be missed three times over', async () => {
    for (let rollover = 0; rollover < 2; rollover++) {
      await roll();
      await retire(true);
    }
    const dogwood = agent('dogwood').start();
    expect(new X509Certificate(dogwood.member.caCertificate).subject).not.toContain('authority');
    await dogwood.catchUp();
    await expectUpToDate('dogwood', 6, 1);
  });
});
