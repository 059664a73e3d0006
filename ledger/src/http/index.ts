export { FetchError, type FetchErrorCode } from './fetch.error.js';
export { isWebAddress, webPrefix } from './web.address.js';
export { WebReader, type WebOptions } from './web.reader.js';
