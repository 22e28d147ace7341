import { type Terminal, title } from './terminal.ts';

/** Where the model should run: rules and arithmetic, without AWS. */
export async function advise({ sls }: Terminal): Promise<void> {
  title('Where it should run: what is declared, then the same question with 500 requests a second of 50 ms');
  await sls(['models', 'advise']);
  await sls(['models', 'advise', '--traffic', '500/s', '--duration', '50', '--latency', '200']);
}
