import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cycloneDx } from '../../core/card/cyclonedx.ts';
import { venvPython } from '../../local-aws/venv.ts';
import { CARDS } from '../cards.ts';

const run = promisify(execFile);

/** Our ML-BOMs by CycloneDX's validator for Python, strictly; and one that is none, which it must refuse. */
export async function cardsAsBoms(): Promise<string> {
  const python = await venvPython({
    name: 'venv-card',
    requirements: join(import.meta.dirname, 'card', 'requirements.txt'),
    least: [3, 11],
    who: 'The soak of cards',
    announce: 'CycloneDX: installing into .local/venv-card (about 40 MB) …',
    log: (line) => console.error(line),
  });
  const folder = await mkdtemp(join(tmpdir(), 'soak-card-'));
  try {
    const boms = Object.entries(CARDS).map(([name, document]) => [name, cycloneDx(document)] as const);
    const wrong = ['wrong', { ...boms[0]?.[1], metadata: { component: { type: 'guess' } } }] as const;
    const files: string[] = [];
    for (const [name, bom] of [...boms, wrong]) {
      const file = join(folder, `${name}.json`);
      await writeFile(file, JSON.stringify(bom));
      files.push(file);
    }
    const { stdout } = await run(python, [join(import.meta.dirname, 'card', 'validate.py'), ...files]);
    const found: readonly (string | null)[] = JSON.parse(stdout);
    const refused = boms.flatMap(([name], index) =>
      found[index] === null ? [] : [`${name}: ${found[index]}`],
    );
    if (refused.length > 0) throw new Error(refused.join('\n'));
    if (typeof found.at(-1) !== 'string') throw new Error('what is no ML-BOM was taken');
    return `${boms.length} ML-BOMs valid, 1 refused that is none`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
