/**
 * Characters of a refusal that are looked at: the name of a node is in it, which may have megabytes, and to
 * look for words takes time by the square of them.
 */
const LOOKED_AT = 8000;

export const beginOf = (text: string): string => text.slice(0, LOOKED_AT);

/** ONNX Runtime's words without the places in its own source, on one line. */
export function short(text: string): string {
  const line = beginOf(text)
    .replace(/^Load model from .*? failed:/s, '')
    .replace(/\S+\.(?:cc|h):\d+ (?:[A-Z][a-z]+[A-Z]\w+ )?/g, '')
    .replace(/(?:[\w:]+ )?onnxruntime::[^()]*\((?:[^()]|\([^()]*\))*\) /g, '')
    .replace(/^(?:This is an invalid model\. )?(?:Fatal )?[Ee]rror: /, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '');
  return line.length > 400 ? `${line.slice(0, 400)} …` : line;
}
