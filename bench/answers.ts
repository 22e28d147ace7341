/** Both sides must do the same work: their answers are compared before a figure counts. */

export type Outputs = Readonly<Record<string, readonly number[]>>;

type Description = {
  readonly name: string;
  readonly datatype: string;
  readonly data?: readonly number[];
  readonly parameters?: { readonly binary_data_size: number };
};
type HttpAnswer = {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded?: boolean;
};

/** @returns output tensors of a handler's answer, JSON or binary; throws unless its status is 200 */
export function outputsOf(answer: unknown): Outputs {
  const { statusCode, headers, body, isBase64Encoded } = answer as HttpAnswer;
  if (statusCode !== 200) throw new Error(`a side answered ${statusCode}: ${body.slice(0, 500)}`);
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  let at = Number(headers['inference-header-content-length'] ?? bytes.length);
  const { outputs }: { outputs: readonly Description[] } = JSON.parse(bytes.toString('utf8', 0, at));
  const found: Record<string, readonly number[]> = {};
  for (const { name, datatype, data, parameters } of outputs) {
    const size = parameters?.binary_data_size ?? 0;
    const part = new Uint8Array(bytes.subarray(at, at + size)).buffer;
    found[name] =
      data ??
      (datatype === 'INT64' ? Array.from(new BigInt64Array(part), Number) : [...new Float32Array(part)]);
    at += size;
  }
  return found;
}

/** Columns of the first rows of a csv by their names. */
export function columnsOf(csv: string, rows: number): Outputs {
  const [head = '', ...lines] = csv.split('\n').slice(0, rows + 1);
  const cells = lines.map((line) => line.split(',').map(Number));
  return Object.fromEntries(
    head.split(',').map((name, i) => [name, cells.map((row) => row[i] ?? Number.NaN)]),
  );
}

/** Optimising and other kernels round otherwise; measured so far: 2e-6 of the largest value. */
const TOLERANCE = 1e-4;

/** @throws Error where an output is missing or differs, or where there is none to compare with */
export function mustAgree(ours: Outputs, other: Outputs): void {
  if (Object.keys(other).length === 0) throw new Error('the other side has no outputs');
  for (const [name, expected] of Object.entries(other)) {
    const given = ours[name];
    const largest = Math.max(...expected.map(Math.abs));
    const agrees =
      expected.length > 0 &&
      given?.length === expected.length &&
      expected.every((value, i) => Math.abs(value - (given[i] ?? Number.NaN)) <= TOLERANCE * largest);
    if (!agrees) throw new Error(`the two sides differ in the output ${name}`);
  }
}
