/** What an error is called and says, for logs and reasons. */
export const nameAndMessage = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : String(error);
