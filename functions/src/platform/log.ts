import { logger } from 'firebase-functions';

/** Structured fields of a log line. Never a secret, a client secret, a card or a person's name. */
export type LogFields = Record<string, string | number | boolean | null | undefined | readonly string[]>;

/** One line of JSON on standard output, which Cloud Logging picks up with its trace. Domains wrap it in named functions. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export const cloudLog: Log = {
  info: (event, fields) => logger.info(event, { event, ...fields }),
  warn: (event, fields) => logger.warn(event, { event, ...fields }),
  error: (event, fields) => logger.error(event, { event, ...fields }),
};

export const silentLog: Log = { info: () => undefined, warn: () => undefined, error: () => undefined };
