export * from './invite.js';
export { joinMessage, renewMessage } from './possession.message.js';
