/**
 * Decides whether pages were told the truth: each line in order, whole and without a contradiction,
 * all lines to one process the same, and of the cluster nothing that Raft rules out.
 */
import { createHash } from 'node:crypto';
import type {
  AnswerFrame,
  EventsFrame,
  LiveEvent,
  LiveFrame,
  StatusFrame,
} from '../../adapters/live/protocol.js';
import { frameOf } from './frame.js';
import { faultsOfStatus } from './status-faults.js';
import { placeOf, ToldByProcess } from './told-by-process.js';
import { Truths } from './truths.js';

/** How a node may end a line, or a network: RFC 6455 §7.4.1. */
const goodEnds = new Set([1000, 1001, 1005, 1006]);
const tooSlow = 1013;

export class Views {
  private readonly found = new Set<string>();
  private readonly truths = new Truths((text) => this.found.add(text));
  private readonly processes = new Map<string, ToldByProcess>();
  private readonly lines: ViewedLine[] = [];
  readonly counts = { frames: 0, answers: 0, different: 0, tooSlow: 0 };

  /** A line from now on, from its first frame. `onNew`: a frame that nobody was told before. */
  line(viewer: string, onNew: (text: string) => void = () => undefined): ViewedLine {
    const line = new ViewedLine(`${viewer} ${this.lines.length + 1}`, this, onNew);
    this.lines.push(line);
    return line;
  }

  get lineCount(): number {
    return this.lines.length;
  }

  fault(text: string): void {
    this.found.add(text);
  }

  /** Is it new? Whatever is for all who watch must be the same for all. */
  hear(frame: StatusFrame | EventsFrame, name: string, isFirst: boolean, text: string): boolean {
    const digest = createHash('sha1').update(text).digest('base64');
    const who = `${frame.type} at ${frame.at} of ${name}`;
    const key = isFirst ? `${who}, ${digest}` : who;
    this.truths.is(`the ${key}`, digest);
    const process = this.process(name);
    if (!process.isNew(key)) return false;
    this.counts.different += 1;
    process.note(frame);
    if (frame.type === 'status') this.truths.onStatus(frame);
    return true;
  }

  onEvent(node: string, event: LiveEvent): void {
    this.truths.onEvent(node, event);
  }

  /** All that is wrong, when all lines have ended, in words. */
  check(): readonly string[] {
    for (const { name, process, places } of this.lines) {
      if (process !== null) this.process(process).onRun(name, places);
    }
    for (const process of this.processes.values()) {
      for (const fault of process.check()) this.fault(fault);
    }
    return [...this.found];
  }

  private process(name: string): ToldByProcess {
    const known = this.processes.get(name) ?? new ToldByProcess(name);
    this.processes.set(name, known);
    return known;
  }
}

/** What somebody hears from one process, in its order, on one connection. */
export class ViewedLine {
  readonly places: number[] = [];
  process: string | null = null;
  private node = '';
  private last = -1;
  private eventsAt = 0;
  /** What the next status has to say: what the last one, or the roles since then, have said. */
  private role: string | null = null;
  /** What was asked and has not been answered. */
  private readonly asked = new Set<number>();

  constructor(
    readonly name: string,
    private readonly views: Views,
    private readonly onNew: (text: string) => void,
  ) {}

  ask(id: number): void {
    this.asked.add(id);
  }

  hear(text: string): void {
    this.views.counts.frames += 1;
    let frame: LiveFrame;
    try {
      frame = frameOf(text);
    } catch (error) {
      return this.fault(`what is no frame, ${String(error)}: ${text.slice(0, 200)}`);
    }
    if (frame.type === 'answer') return this.onAnswer(frame);
    const isFirst = this.process === null;
    if (isFirst && frame.type !== 'status') return this.fault('events before any status');
    if (frame.type === 'status') this.onProcess(frame);
    const place = placeOf(frame);
    if (place <= this.last) this.fault(`of ${frame.at} behind what came later`);
    // The first status is for this line alone: events of the same moment may come behind it.
    this.last = isFirst ? place - 2 : place;
    if (!isFirst) this.places.push(place);
    const isNew = this.views.hear(frame, this.process ?? '', isFirst, text);
    if (isNew) this.onNew(text);
    if (frame.type === 'events') this.onEvents(frame, isNew);
    else this.onStatus(frame, isNew);
  }

  /** By the one who speaks it: `reason` is what the node said. */
  end(code: number, reason: string): void {
    if (code === tooSlow && reason.includes('reads too slowly')) this.views.counts.tooSlow += 1;
    else if (!goodEnds.has(code)) this.fault(`an end by ${code} ${reason}`);
  }

  private onProcess({ node, cluster, pid }: StatusFrame): void {
    const name = `${node} (${cluster}, process ${pid})`;
    if (this.process !== null && this.process !== name) this.fault(`${this.process} and ${name}`);
    this.process = name;
    this.node = node;
  }

  private onStatus(status: StatusFrame, isNew: boolean): void {
    const { role, term, leader } = status;
    const said = `${role} of term ${term}, led by ${leader}`;
    if (this.role !== null && this.role !== said) this.fault(`${said}, behind ${this.role}`);
    this.role = said;
    if (isNew) for (const each of faultsOfStatus(status)) this.fault(`${each}, at ${status.at}`);
  }

  private onEvents({ at, events, untold }: EventsFrame, isNew: boolean): void {
    for (const event of events) {
      if (event.at < this.eventsAt || event.at > at) {
        this.fault(`in the events of ${at}, behind ${this.eventsAt}, one of ${event.at}`);
      }
      if (isNew) this.views.onEvent(this.node, event);
      if (event.type !== 'role') continue;
      this.role = `${event.role} of term ${event.term}, led by ${event.leader}`;
    }
    if (untold > 0) this.role = null;
    this.eventsAt = at;
  }

  private onAnswer({ id }: AnswerFrame): void {
    this.views.counts.answers += 1;
    if (!this.asked.delete(id)) this.fault(`an answer to ${id}, which waits for none`);
  }

  private fault(text: string): void {
    this.views.fault(`${this.name} was told by ${this.process}: ${text}`);
  }
}
