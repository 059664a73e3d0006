export * from './invite.js';
