/**
 * A signal ends a process without its listeners of `exit`, which end what it has started in groups of their
 * own: a terminal's Ctrl-C does not reach those.
 *
 * @param last is done after all of them
 */
export function exitBySignals(last?: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => {
      if (last !== undefined) process.once('exit', last);
      process.exit(130);
    });
}
