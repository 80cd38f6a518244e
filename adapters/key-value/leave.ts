/** The end of a process that prints without end: its last line is a whole one. */

/** For a reader who does not read. */
const lastWordsMs = 10_000;

/** Ends the process when all that it has printed has been taken, or when nobody takes it. */
export function leave(): void {
  const { stdout } = process;
  const exit = (): void => process.exit();
  if (stdout.writableLength === 0 || stdout.destroyed) return exit();
  setTimeout(exit, lastWordsMs);
  stdout.on('error', exit);
  stdout.write('', exit);
}
