export { networkOf } from './network.address.js';
export { HTTP_TIMES, type HttpLimits, limitConnections, limitRequests, requestFault } from './http.limits.js';
