/**
 * The prefix under which a log is served, ending in "/".
 * @throws Error for a person to read
 */
export function webPrefix(address: string): URL {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new Error(`"${address}" is not a URL; give the address under which the ledger is served, e.g. https://ledger.example/acme`);
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new Error(`"${address}" is not an http or https address`);
  if (url.username !== '' || url.password !== '')
    throw new Error('the URL holds a user name or password, which would end up in logs; a ledger is served to whoever may reach it');
  if (url.search !== '' || url.hash !== '') throw new Error(`"${address}" ends in "${url.search}${url.hash}"; give the address without it`);
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

export function isWebAddress(target: string): boolean {
  return /^https?:\/\//i.test(target);
}
