const IPV4_LOOPBACK = /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/;

/** Whether only this machine reaches it. A name other than localhost may mean anything tomorrow. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || IPV4_LOOPBACK.test(host);
}

/**
 * Whether a request to a loopback address was meant for it: a web page that a person of this machine has opened can make the browser ask here under a name of its
 * own (DNS rebinding), and would read the answer. @param header the Host header of the request
 */
export function isMeantForLoopback(header: string | undefined): boolean {
  const host = /^(?:\[([0-9a-f:]+)\]|([^:]+))(?::\d+)?$/i.exec(header ?? '');
  return host !== null && isLoopback((host[1] ?? host[2] ?? '').toLowerCase());
}
