import { isRefusal } from '../errors/refusals.ts';

/** Where values stand in a body of SageMaker’s shape, which is made into a request of the protocol. */
export type BodyPlaces = {
  /** What the values are called in the body: `$.instances`, `$.inputs`. */
  readonly path: string;
  /** The inputs, in the request’s order. */
  readonly inputs: readonly string[];
  /** Has the body the inputs by their names? */
  readonly isNamed: boolean;
  /** Names of a row’s columns, where rows are objects of these. */
  readonly columns?: readonly string[];
};

/** As refusals of a request name a tensor of it, and what they say of that. */
const PLACE = /^\$\.inputs\[(\d+)\]\.(data|shape)(.*)$/s;

/**
 * The refusal of the request that was made of a body, with the place in the body: of the request the client
 * knows nothing.
 */
export function placedInBody(error: unknown, { path, inputs, isNamed, columns }: BodyPlaces): unknown {
  if (!isRefusal(error)) return error;
  const [, index, part, rest = ''] = PLACE.exec(error.message) ?? [];
  const name = inputs[Number(index)];
  if (name === undefined) return error;
  const message = part === 'shape' ? `${path}: ${ofShape(name, rest)}` : ofData();
  return Object.assign(new Error(message), { code: error.code, status: error.status });

  function ofData(): string {
    if (!isNamed) return path + (columns === undefined ? rest : byColumn(rest, columns));
    // Each input whole, or a row of them all for each instance.
    if (path === '$.inputs') return `${path}${member(name as string)}${rest}`;
    const [, row = '', within = rest] = /^(\[\d+\])(.*)$/s.exec(rest) ?? [];
    return row === '' ? `${path}: ${name}${rest}` : `${path}${row}${member(name as string)}${within}`;
  }
}

/** @param rest for example ` must have rank 2: …`, `[1] must be 2.`, `: the tensors of a request …` */
function ofShape(name: string, rest: string): string {
  const [, dimension, says = ''] = /^\[(\d+)\](.*)$/s.exec(rest) ?? [];
  if (dimension !== undefined) return `dimension ${dimension} of ${name}${says}`;
  return rest.startsWith(': ') ? rest.slice(2) : `the shape of ${name}${rest}`;
}

function byColumn(rest: string, columns: readonly string[]): string {
  const [, row = '', column = '', says = ''] = /^(\[\d+\])\[(\d+)\](.*)$/s.exec(rest) ?? [];
  const name = columns[Number(column)];
  return row === '' || name === undefined ? rest : `${row}${member(name)}${says}`;
}

/** A member of an object, as a JSON path has it. */
const member = (name: string): string =>
  /^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
