/** Why something failed, in words: always a text, whatever was thrown. */
export function causeOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'something that has no words';
  }
}
