export { DemoError, type DemoErrorCode } from './demo.error.js';
