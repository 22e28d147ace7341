import { Logger } from '@aws-lambda-powertools/logger';
import type { Log } from '../../core/ports/log.ts';

/** Powertools starts with the first line: a request without one does not pay for it. */
export function createLog(serviceName: string): Log {
  let logger: Logger | undefined;
  const lazy = (): Logger => {
    logger ??= new Logger({ serviceName });
    return logger;
  };
  return {
    info: (message, fields) => lazy().info(message, { ...fields }),
    warn: (message, fields) => lazy().warn(message, { ...fields }),
    error: (message, fields) => lazy().error(message, { ...fields }),
  };
}

/**
 * An error's kind and place without its message, which could hold values of a request.
 * @returns for example `TypeError at pre (transform.ts:3:9) at …`
 */
export function placeInCode(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { message, stack = '' } = error;
  // The message comes first, and may have lines that look like frames.
  const at = stack.indexOf(message);
  const below = at < 0 ? '' : stack.slice(at + message.length);
  const frames = below.split('\n').filter((line) => /^\s+at /.test(line));
  return [error.name, ...frames.slice(0, 8).map((frame) => frame.trim())].join(' ');
}
