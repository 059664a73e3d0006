import { lookup } from 'node:dns/promises';
import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describeProxy } from './proxy.environment.js';
import type { Endpoint } from './wire.channel.js';

export interface ProbeStep {
  step: 'dns' | 'tcp' | 'tls';
  ok: boolean;
  text: string;
}

const TIMEOUT_MS = 5_000;

/**
 * Why the coordinator cannot be reached, step by step: grpc-js reports every network failure as "Failed to connect". Stops at the first
 * step that fails and says what to do.
 */
export async function probe(endpoint: Endpoint): Promise<ProbeStep[]> {
  const split = endpoint.address.lastIndexOf(':');
  const host = endpoint.address.slice(0, split);
  const port = Number(endpoint.address.slice(split + 1));
  const steps: ProbeStep[] = [];
  const attempt = async (step: ProbeStep['step'], work: () => Promise<string>, advice: string): Promise<boolean> => {
    try {
      steps.push({ step, ok: true, text: await work() });
      return true;
    } catch (error) {
      steps.push({ step, ok: false, text: `${(error as Error).message}. ${advice}` });
      return false;
    }
  };
  const proxy = describeProxy(process.env);
  const through = proxy === undefined ? 'no proxy is set (HTTPS_PROXY)' : `the proxy ${proxy} is used by the agent, not by this probe`;
  if (!(await attempt('dns', () => resolve(host), `Ask IT for the name service entry of ${host}, or the operator for another address.`)))
    return steps;
  if (!(await attempt('tcp', () => openTcp(host, port), `Ask IT to allow outgoing TCP to ${host} port ${port}; ${through}.`))) return steps;
  await attempt(
    'tls',
    () => openTls(host, port, endpoint),
    'A device that opens TLS traffic on the way must let this connection through unopened.',
  );
  return steps;
}

async function resolve(host: string): Promise<string> {
  const { address } = await lookup(host);
  return `${host} is ${address}`;
}

function openTcp(host: string, port: number): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect({ host, port, timeout: TIMEOUT_MS });
    socket.once('connect', () => {
      socket.destroy();
      done(`${host} port ${port} accepts connections`);
    });
    socket.once('timeout', () => socket.destroy(new Error(`no answer from ${host} port ${port} within ${TIMEOUT_MS / 1000} s`)));
    socket.once('error', fail);
  });
}

function openTls(host: string, port: number, endpoint: Endpoint): Promise<string> {
  return new Promise((done, fail) => {
    const options = { host, port, ca: endpoint.caCertificate, servername: endpoint.serverName, ALPNProtocols: ['h2'], timeout: TIMEOUT_MS };
    const socket = connectTls(options);
    socket.once('secureConnect', () => {
      socket.destroy();
      done(`the certificate of ${endpoint.serverName} is signed by the consortium`);
    });
    socket.once('timeout', () => socket.destroy(new Error(`no TLS answer within ${TIMEOUT_MS / 1000} s`)));
    socket.once('error', fail);
  });
}
