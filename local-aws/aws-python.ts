import { join } from 'node:path';
import { local, venvPython } from './venv.ts';

export { local };

/** The Python of `.local/venv-aws`, made on first use. Throws with what to do when it cannot be made. */
export function awsPython(log: (line: string) => void): Promise<string> {
  return venvPython({
    name: 'venv-aws',
    requirements: join(import.meta.dirname, 'requirements.txt'),
    least: [3, 10],
    who: 'Local AWS',
    announce:
      'Making the local AWS: MiniStack from PyPI, about 35 MB to download, 140 MB on disk, half a minute …',
    log,
  });
}
