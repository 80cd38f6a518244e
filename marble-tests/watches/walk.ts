/** One recording by itself: does it go on and on, and what does it amount to? */
import type { Pair, Recording, Scope, Told } from './recording.js';
import { isWithin } from './recording.js';
import type { Span } from './spans.js';

/** What was there at an index, of what is watched. */
export interface Content {
  readonly index: number;
  readonly values: ReadonlyMap<string, string>;
}

export interface Walk {
  readonly name: string;
  readonly scope: Scope;
  /** Of these all changes have been told. */
  readonly spans: readonly Span[];
  readonly events: ReadonlyMap<number, readonly Pair[]>;
  readonly contents: readonly Content[];
  /** What is there in the end, by all that was told; null for a key that was deleted. */
  readonly state: ReadonlyMap<string, string | null>;
  /** A key that is not in the state is not there. Else nothing is known of it. */
  readonly isWhole: boolean;
  readonly faults: readonly string[];
}

export function walk(recording: Recording): Walk {
  const walker = new Walker(recording);
  for (const told of recording.told) walker.hear(told);
  return walker;
}

/** The same, of a part of the keys. */
export function projected(walk: Walk, scope: Scope): Walk {
  const isMeant = ([key]: readonly [string, unknown]): boolean => isWithin(scope, key);
  const events = [...walk.events]
    .map(([index, pairs]) => [index, pairs.filter(isMeant)] as const)
    .filter(([, pairs]) => pairs.length > 0);
  const contents = walk.contents.map(({ index, values }) => ({
    ...{ index, values: new Map([...values].filter(isMeant)) },
  }));
  return { ...ofWalk(walk), scope, events: new Map(events), contents };
}

function ofWalk({
  name,
  spans,
  state,
  isWhole,
  faults,
}: Walk): Omit<Walk, 'scope' | 'events' | 'contents'> {
  return { name, spans, state, isWhole, faults };
}

/** Is what is there in the end what it should be? In words what is not, or null. */
export function faultOfEnd(
  { name, scope, state, isWhole }: Walk,
  content: ReadonlyMap<string, string>,
): string | null {
  const isKnown = (key: string): boolean => isWithin(scope, key) && (isWhole || state.has(key));
  for (const key of new Set([...state.keys(), ...content.keys()])) {
    const [told, there] = [state.get(key) ?? null, content.get(key) ?? null];
    if (isKnown(key) && told !== there) {
      return `${name}: ${key} is ${told} by what was told, and ${there} by what is read`;
    }
  }
  return null;
}

class Walker implements Walk {
  readonly name: string;
  readonly scope: Scope;
  readonly spans: Span[] = [];
  readonly events = new Map<number, readonly Pair[]>();
  readonly contents: Content[] = [];
  readonly faults: string[] = [];
  state = new Map<string, string | null>();
  isWhole: boolean;
  /** Up to here it has been told everything, or the content. */
  private position: number | null;
  /** Of a content that is not whole yet. */
  private pieces: Pair[] = [];
  private pieceIndex: number | null = null;

  constructor({ name, key, isPrefix, from }: Recording) {
    this.name = name;
    this.scope = { key, isPrefix };
    this.position = from === null ? null : from - 1;
    this.isWhole = from === 1;
  }

  hear(told: Told): void {
    if (told.type === 'lost') {
      this.pieces = [];
      this.pieceIndex = null;
      return;
    }
    if (told.type !== 'current' && this.pieceIndex !== null) {
      this.fault(`${told.type} ${told.index} among the pieces of ${this.pieceIndex}`);
    }
    if (told.type !== 'watching') this.onlyWhatIsWatched(told.index, told.pairs);
    if (told.type === 'watching') this.onWatching(told.index);
    else if (told.type === 'changes') this.onChanges(told.index, told.pairs);
    else this.onPiece(told.index, told.pairs, told.isLast);
  }

  private onlyWhatIsWatched(index: number, pairs: readonly Pair[]): void {
    const [other] = pairs.find(([key]) => !isWithin(this.scope, key)) ?? [];
    if (other !== undefined) this.fault(`${other} at ${index} is not watched`);
  }

  private onWatching(index: number): void {
    const position = this.position ?? index;
    if (index < position) this.fault(`watching ${index} after ${position}`);
    this.advance(index);
  }

  private onChanges(index: number, pairs: readonly Pair[]): void {
    const { position } = this;
    if (position === null) this.fault(`changes ${index}, and nothing of where it begins`);
    if (pairs.length === 0) this.fault(`changes ${index}, and there are none`);
    if (position !== null && index <= position) {
      this.fault(`changes ${index} after ${position}`);
      return;
    }
    this.advance(index);
    this.events.set(index, pairs);
    for (const [key, value] of pairs) this.state.set(key, value);
  }

  private onPiece(index: number, pairs: readonly Pair[], isLast: boolean): void {
    if (this.pieceIndex !== null && this.pieceIndex !== index) {
      this.fault(`a piece of ${index} among those of ${this.pieceIndex}`);
    }
    this.pieceIndex = index;
    this.pieces.push(...pairs);
    if (!isLast) return;
    const values = new Map<string, string>();
    for (const [key, value] of this.pieces) {
      if (values.has(key)) this.fault(`${key} twice in the content of ${index}`);
      if (value === null) this.fault(`${key} without a value in the content of ${index}`);
      else values.set(key, value);
    }
    this.pieces = [];
    this.pieceIndex = null;
    if (this.position !== null && index <= this.position) {
      this.fault(`the content of ${index} after ${this.position}`);
      return;
    }
    this.contents.push({ index, values });
    this.state = new Map(values);
    this.isWhole = true;
    this.position = index;
  }

  private advance(index: number): void {
    const after = this.position ?? index;
    if (index > after) this.spans.push({ after, upTo: index });
    this.position = Math.max(after, index);
  }

  private fault(text: string): void {
    this.faults.push(`${this.name}: ${text}`);
  }
}
