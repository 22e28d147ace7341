/**
 * A signal ends a process without its listeners of `exit`, which end what it has started in groups of their
 * own: a terminal's Ctrl-C does not reach those. Further signals change nothing: a terminal's comes twice,
 * since `test/with.mjs` passes its own on.
 *
 * @param last is done after all of them
 */
export function exitBySignals(last?: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      if (last !== undefined) process.once('exit', last);
      process.exit(130);
    });
}
