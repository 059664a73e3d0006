type Environment = Record<string, string | undefined>;

/**
 * grpc-js reads only the lower-case names, IT departments mostly set the upper-case ones. What is already set in lower case
 * wins. NO_PROXY entries such as `*.example.com` are written as `.example.com`, the form grpc-js matches.
 */
export function mapProxyVariables(environment: Environment): void {
  const proxy = environment['HTTPS_PROXY'];
  if (proxy !== undefined && proxy !== '' && environment['https_proxy'] === undefined) environment['https_proxy'] = proxy;
  const direct = environment['NO_PROXY'];
  if (direct !== undefined && direct !== '' && environment['no_proxy'] === undefined) {
    environment['no_proxy'] = direct
      .split(',')
      .map((entry) => entry.trim().replace(/^\*(?=\.)/, ''))
      .filter((entry) => entry !== '')
      .join(',');
  }
}

/** The proxy in use, without the password that may stand in it. */
export function describeProxy(environment: Environment): string | undefined {
  const proxy = environment['https_proxy'];
  return proxy === undefined || proxy === '' ? undefined : proxy.replace(/\/\/[^@/]*@/, '//…@');
}
