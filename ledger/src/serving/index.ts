export { networkOf } from './network.address.js';
export { HTTP_TIMES, type HttpLimits, isOverLimit, limitConnections, limitRequests } from './http.limits.js';
