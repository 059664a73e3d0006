import { z } from 'zod';

/** Where something listens or is dialled. */
export interface NetworkAddress {
  /** A DNS name, an IPv4 or an IPv6 address; without the brackets that the text form has around the latter. */
  host: string;
  /** 0 only where somebody listens: a free port. */
  port: number;
}

/** `name:port`, or `[IPv6]:port` as RFC 3986 writes it: without brackets nobody can tell where such an address ends. */
const FORM = /^(?:\[([0-9A-Fa-f:.]{2,45})\]|([A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_.])?)):([0-9]{1,5})$/;
const MOST_PORT = 65_535;

/** Undefined for anything that is no address: no scheme, no user, no zone (`%eth0` names an interface of one machine only). */
export function parseAddress(text: string): NetworkAddress | undefined {
  const found = FORM.exec(text);
  if (found === null) return undefined;
  const [, six, name = '', digits] = found;
  const port = Number(digits);
  if (port > MOST_PORT) return undefined;
  if (six === undefined) return { host: name, port };
  return z.ipv6().safeParse(six).success ? { host: six, port } : undefined;
}

export function formatAddress({ host, port }: NetworkAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether a program that listens there takes calls on every address of its machine; nobody can dial it under this name. */
export function isEverywhere({ host }: NetworkAddress): boolean {
  return host === '0.0.0.0' || /^[0:]+$/.test(host);
}

/** An address that a site can dial. */
export function dialableAddress(text: string): NetworkAddress | undefined {
  const address = parseAddress(text);
  return address === undefined || address.port === 0 || isEverywhere(address) ? undefined : address;
}

/** For files that name the coordinator: invites, member.json. */
export const addressSchema = z
  .string()
  .refine(
    (text) => dialableAddress(text) !== undefined,
    'it must be host:port, for example coordinator.example:7443 or [2001:db8::7]:7443',
  );
