/**
 * How far a long run has come, on standard error: one line that changes on a terminal, and one line
 * a part elsewhere.
 */
export class Reporter {
  private readonly isLive = process.stderr.isTTY;
  private shown = '';

  progress(part: string, text: string): void {
    if (!this.isLive) {
      if (part !== this.shown) process.stderr.write(`${part} …\n`);
      this.shown = part;
      return;
    }
    const line = `${part}: ${text}`.slice(0, process.stderr.columns - 1);
    process.stderr.write(`\r${line.padEnd(this.shown.length)}`);
    this.shown = line;
  }

  /** Makes room for what is printed next. */
  clear(): void {
    if (this.isLive) process.stderr.write(`\r${' '.repeat(this.shown.length)}\r`);
    this.shown = '';
  }
}
