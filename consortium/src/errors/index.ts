export {
  ConsortiumError,
  type ConsortiumErrorCode,
  isProtocolRefusal,
  protocolRefusals,
  type ProtocolRefusal,
} from './consortium.error.js';
