/** ONNX Runtime's words without the places in its own source, on one line. */
export function short(text: string): string {
  const line = text
    .replace(/^Load model from .*? failed:/s, '')
    .replace(/\S+\.(?:cc|h):\d+ (?:[A-Z][a-z]+[A-Z]\w+ )?/g, '')
    .replace(/(?:[\w:]+ )?onnxruntime::[^()]*\((?:[^()]|\([^()]*\))*\) /g, '')
    .replace(/^(?:This is an invalid model\. )?(?:Fatal )?[Ee]rror: /, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/\.$/, '');
  return line.length > 400 ? `${line.slice(0, 400)} …` : line;
}
