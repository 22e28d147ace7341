/** Why an object cannot be scored as a whole: not the rows are at fault, but their container. */
const FAULTS = [
  'UNREADABLE',
  'WRONG_HEADER',
  'UNCLOSED_QUOTE',
  'ROW_TOO_LONG',
  'CHANGED',
  'GONE',
  'FILES_DISAGREE',
  'TOO_LARGE',
] as const;
export type FaultCode = (typeof FAULTS)[number];

export type ObjectFault = Error & { readonly objectFault: FaultCode };

/** @param message a sentence or two for a person: where, what is expected; never a value */
export const objectFault = (code: FaultCode, message: string): ObjectFault =>
  Object.assign(new Error(message), { objectFault: code });

/** What is wrong with a file of reference data, and what to do: the last sentence. */
export function messageAndFix({ message }: ObjectFault): { readonly message: string; readonly fix: string } {
  const [, sentence = message, fix = ''] = /^(.*[.!?]) ([A-Z].*)$/s.exec(message) ?? [];
  return { message: sentence.replace(/^The object(’s)? /, (_, own) => (own ? 'Its ' : 'It ')), fix };
}

export const isObjectFault = (error: unknown): error is ObjectFault =>
  error instanceof Error && 'objectFault' in error;
