import { spawn } from 'node:child_process';
import { startAws } from '../../local-aws/start.ts';
import { EXIT } from './run.ts';

/** Seconds of the local AWS's clock in one of ours: an hour of waiting passes in minutes. */
const SPEED = 10;

/**
 * The same program in the environment of a local AWS, which it then takes for an account.
 *
 * @param file of the program @param args without `--rehearse`
 */
export async function rehearse(file: string, args: readonly string[]): Promise<number> {
  const aws = await startAws({ speed: SPEED, log: (line) => console.log(line) });
  try {
    console.log(`A rehearsal on a local AWS at ${aws.endpoint}, its clock ${SPEED} times as fast.`);
    const child = spawn(process.execPath, [file, ...args], {
      stdio: 'inherit',
      env: { ...process.env, ...aws.env },
    });
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => child.kill(signal));
    return await new Promise<number>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : EXIT.interrupted)));
    });
  } finally {
    await aws.stop();
  }
}
