/** The traces of all nodes, each of its own, replayed as one: of any length, in flat memory. */
import type { Line } from './line.js';
import { parseLine, receivedBy } from './line.js';
import type { Summary } from './model.js';
import { Model } from './model.js';

const stepLines = 1000;

/**
 * Replays the traces in an order of cause and effect: the lines of a node in their order, and what
 * is received after it was sent. What nobody has sent comes last of all, for the model to refuse.
 * Throws a Violation.
 */
export function replayNodes(traces: readonly Iterable<string>[]): Summary {
  const steps = replaySteps(traces);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** The same step by step, for who has other things to do in between. Gives the lines so far. */
export function* replaySteps(traces: readonly Iterable<string>[]): Generator<number, Summary> {
  const model = new Model();
  const rests = traces.map((trace) => new Rest(model, trace));
  for (;;) {
    const before = model.summary.lines;
    for (const rest of rests) {
      while (rest.mayBe) {
        rest.take();
        if (model.summary.lines % stepLines === 0) yield model.summary.lines;
      }
    }
    if (model.summary.lines > before) continue;
    const stuck = rests.find((rest) => !rest.isOver);
    if (stuck === undefined) return model.summary;
    stuck.take();
  }
}

type Read = readonly [text: string, line: Line | null];

/** What is to come of one trace. */
class Rest {
  private readonly lines: Iterator<Read, undefined>;
  private next: Read | null;

  constructor(
    private readonly model: Model,
    trace: Iterable<string>,
  ) {
    this.lines = whole(trace);
    this.next = this.read();
  }

  get isOver(): boolean {
    return this.next === null;
  }

  /** There is a next line, and what it has received was sent. */
  get mayBe(): boolean {
    if (this.next === null) return false;
    const [, line] = this.next;
    const parcel = line && receivedBy(line);
    return parcel === null || this.model.wasSent(parcel);
  }

  take(): void {
    if (this.next === null) return;
    const [text, line] = this.next;
    if (line === null) this.model.take(text);
    else this.model.takeLine(line, text);
    this.next = this.read();
  }

  private read(): Read | null {
    return this.lines.next().value ?? null;
  }
}

/**
 * Without the lines that a kill has torn: what is no JSON, and the last of its run. What it would
 * have told of has not gone on its way.
 */
function* whole(trace: Iterable<string>): Generator<Read, undefined> {
  let torn: string | null = null;
  for (const text of trace) {
    // Whoever begins a new line, to be sure, may have begun one already.
    if (text === '') continue;
    if (torn !== null && !text.startsWith('{"version":')) yield [torn, null];
    const line = readLine(text);
    torn = line === null && !isJson(text) ? text : null;
    if (torn === null) yield [text, line];
  }
}

/** Null for what is no line of a trace: the model says why. */
function readLine(text: string): Line | null {
  try {
    return parseLine(text);
  } catch {
    return null;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
