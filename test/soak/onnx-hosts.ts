import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runPython } from '../python.ts';
import type { Case, Stored } from '../serving/onnx-cases.ts';
import { throughHosts } from '../serving/onnx-hosts.ts';

/** Runs at a time: of each, most is the start of processes. */
const AT_ONCE = 2;

/**
 * All of ONNX’s node cases through zip, image and host, whose answers must be the same bytes.
 * @throws with the cases that differ
 */
export async function onnxThroughHosts(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'onnx-cases-'));
  try {
    const script = join(import.meta.dirname, '..', 'serving', 'onnx_cases.py');
    await runPython(script, [folder], { timeout: 600_000, env: { LOCPATH: '/nonexistent' } });
    const lines = (await readFile(join(folder, 'cases.jsonl'), 'utf8')).trimEnd().split('\n');
    const ran = lines.map((line): Case => JSON.parse(line)).flatMap((one) => ('model' in one ? [one] : []));
    const tensors = await readFile(join(folder, 'tensors.bin'));
    const content = ({ at, bytes }: Stored): Buffer => tensors.subarray(at, at + bytes);
    const shares = Array.from({ length: AT_ONCE }, (_, share) =>
      throughHosts(
        ran.filter((__, at) => at % AT_ONCE === share),
        content,
      ),
    );
    const found = (await Promise.all(shares)).flat();
    const different = found.flatMap((one) => ('different' in one ? [`${one.case}: ${one.different}`] : []));
    if (different.length > 0) throw new Error(`${different.length} differ: ${different.join('; ')}`);
    const same = found.flatMap((one) => ('same' in one ? [one.same] : []));
    const refused = found.flatMap((one) => ('refused' in one ? [`${one.case}: ${one.refused}`] : []));
    // What the protocol cannot say is not packaged; that is little.
    if (refused.length > ran.length / 20) throw new Error(`${refused.length} refused: ${refused.join('; ')}`);
    const requests = same.reduce((sum, count) => sum + count, 0);
    return `${same.length} cases, ${requests} requests by HTTP, the same bytes from zip, image and host, and by gRPC; ${refused.length} cannot be packaged`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
