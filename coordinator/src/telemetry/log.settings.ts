export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A file of the data folder, or standard output for a service manager that keeps and rotates it. */
export const LOG_PLACES = ['file', 'stdout'] as const;
export type LogPlace = (typeof LOG_PLACES)[number];
