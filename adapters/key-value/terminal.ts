/** How text looks on a terminal: colours where there is one, and nobody asked for none. */

export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly green: (text: string) => string;
  readonly red: (text: string) => string;
}

/** See https://no-color.org. */
export function paintFor(
  stream: { readonly isTTY?: boolean },
  environment: { readonly NO_COLOR?: string | undefined } = process.env,
): Paint {
  const wanted = stream.isTTY === true && (environment.NO_COLOR ?? '') === '';
  const code =
    (on: number, off: number) =>
    (text: string): string =>
      wanted ? `\u001b[${on}m${text}\u001b[${off}m` : text;
  return { bold: code(1, 22), dim: code(2, 22), green: code(32, 39), red: code(31, 39) };
}

/** Control characters would let whoever chose a text, or a key, speak to the terminal. */
export function harmless(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
}

/** The beginning of a key or a value, as text. */
export function printable(bytes: Uint8Array): string {
  const shown = harmless(new TextDecoder().decode(bytes.subarray(0, 80)));
  return bytes.length > 80 ? `${shown}…` : shown === '' ? '(the empty key)' : shown;
}

/** Rows under each other, the last column as it is. */
export function table(rows: readonly (readonly string[])[], gap = 2): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)));
  }
  return rows
    .map((row) =>
      row
        .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd((widths[at] ?? 0) + gap)))
        .join(''),
    )
    .join('\n');
}
