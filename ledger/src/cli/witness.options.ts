import { InvalidArgumentError } from 'commander';

/** Where a server listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, with an IPv6 address in brackets. */
export function listenAddress(text: string): ListenAddress {
  const [, bracketed, plain, digits = ''] = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(digits) > 65_535)
    throw new InvalidArgumentError('It is not of the form host:port, e.g. 127.0.0.1:8470.');
  return { host, port: Number(digits) };
}

export function seconds(text: string): number {
  if (!/^[1-9][0-9]{0,5}$/.test(text)) throw new InvalidArgumentError('It is not a whole number of seconds from 1 to 999999.');
  return Number(text);
}

/** For an option that may be given more than once. */
export function collected(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
