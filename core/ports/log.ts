/**
 * Structured JSON lines by Lambda Powertools (its own environment variables apply, for example
 * POWERTOOLS_LOG_LEVEL). Only what concerns operators, codes and places; nothing that came in a request or
 * goes out in an answer.
 */
export type Log = {
  info(message: string, fields: LogFields): void;
  warn(message: string, fields: LogFields): void;
  error(message: string, fields: LogFields): void;
};
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
