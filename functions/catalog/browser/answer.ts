/** An endpoint's answer, as far as it is one. */
type Answer = {
  readonly model_version?: string;
  readonly error?: string;
  /** The gateway's own. */
  readonly message?: string;
  readonly outputs?: unknown;
};

export function answerInBody(text: string): Answer | undefined {
  try {
    return JSON.parse(text, exact) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Integers of 64 bits as they are written, where the browser tells that: a number has 53 of them. */
function exact(_: string, value: unknown, told?: { readonly source?: string }): unknown {
  const isRounded = typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER;
  return isRounded && /^-?\d+$/.test(told?.source ?? '') ? BigInt(told?.source ?? '') : value;
}
