import { loadCrypto } from '@coferment/crypto';
import type { CrowdAnswer, CrowdOrder } from './crowd.js';
import { LightAgent } from './light.agent.js';

/** Several agents in one process, which does what the load orders, one order after the other for each agent. */
const agents = new Map<string, LightAgent>();

function agentOf(site: string): LightAgent {
  const agent = agents.get(site);
  if (agent === undefined) throw new Error(`There is no agent of "${site}" in this process.`);
  return agent;
}

async function carryOut(order: CrowdOrder): Promise<string> {
  switch (order.do) {
    case 'open':
      await loadCrypto();
      for (const place of order.places) agents.set(place.site, await LightAgent.open(place));
      return '';
    case 'join':
      return agentOf(order.site).join(order.invite);
    case 'approve':
      for (const agent of agents.values()) agent.approve(order.approvals);
      return '';
    case 'serve':
      for (const [site, agent] of agents) agent.serve((text) => void process.send?.({ told: `${site}: ${text}` }));
      return '';
    case 'silence':
      agentOf(order.site).silence();
      return '';
    case 'cut':
      agentOf(order.site).cutAfter(order.bytes);
      return '';
    case 'restore':
      agentOf(order.site).restore();
      return '';
    case 'stop':
      await Promise.all([...agents.values()].map((agent) => agent.stop()));
      return '';
  }
}

process.on('message', ({ id, order }: { id: number; order: CrowdOrder }) => {
  carryOut(order).then(
    (value) => process.send?.({ id, value } satisfies CrowdAnswer),
    (error: unknown) =>
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) } satisfies CrowdAnswer),
  );
});
// Whatever ends the load, a kill included, closes this channel: no crowd outlives it.
process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => undefined);
