export { addressSchema, dialableAddress, formatAddress, isEverywhere, type NetworkAddress, parseAddress } from './address.js';
export { isLoopback, isMeantForLoopback } from './loopback.js';
