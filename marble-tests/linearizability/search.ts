/**
 * Is there an order? The search of Wing and Gong, with Lowe's memory: what was tried once, the same
 * operations done and the same value there, is not tried again.
 *
 * An operation may be the next one if no other that is still to come returned before its call. Some
 * choices are none, because whatever order there is, there is also one that
 *
 * - begins with an operation that only reads the value that is there, and may be next;
 * - has a write that nobody will see right in front of the first write that may be next with it;
 * - has a write of unknown outcome only where the next operation needs what it sets.
 *
 * And of two ways to the same place the one that used fewer of the unknown is no worse.
 */
import type { Step, Value } from './register.js';
import { reduced } from './register.js';

/** Optional steps of one effect: the one that was called first stands for all. */
interface Kind {
  readonly needs: Value | undefined;
  readonly sets: Value | undefined;
  readonly calls: readonly number[];
  readonly isFree: boolean;
  used: number;
}

/** A required step, by number, or an optional one of a kind. */
type Move = number | Kind;

interface Choice {
  /** Each of them some moves that are made together. */
  readonly moves: readonly (readonly Move[])[];
  next: number;
  /** Steps that are done since the choice before, newest last. */
  readonly done: Move[];
  readonly value: Value;
}

/** Can the steps be put in order, so that each finds what it needs? */
export function isLinearizable(steps: readonly Step[], initial: Value): boolean {
  return new Search(reduced(steps, initial), initial).run();
}

class Search {
  private readonly steps: readonly Step[];
  private readonly kinds: readonly Kind[];
  private value: Value;
  /** The required steps that are to come, as a list: `steps.length` stands before and behind. */
  private readonly following: Int32Array;
  private readonly preceding: Int32Array;
  /** How many required steps that are to come need a value, and how many may still set it. */
  private readonly needers = new Map<Value, number>();
  private readonly setters = new Map<Value, number>();
  private readonly neededByKinds: ReadonlySet<Value | undefined>;
  /** Numbers of the steps done, greatest last. */
  private readonly tops: number[] = [-1];
  /** Where it has been, and how many of each kind it had used. */
  private readonly tried = new Map<string, number[][]>();

  constructor(steps: readonly Step[], initial: Value) {
    this.value = initial;
    const required = steps.filter((step) => step.weight === 'required');
    this.steps = required.sort((a, b) => a.call - b.call);
    this.kinds = kindsOf(steps.filter((step) => step.weight !== 'required'));
    this.neededByKinds = new Set(this.kinds.map((kind) => kind.needs));
    const { length } = this.steps;
    this.following = Int32Array.from({ length: length + 1 }, (_, at) => (at + 1) % (length + 1));
    this.preceding = Int32Array.from(
      { length: length + 1 },
      (_, at) => (at + length) % (length + 1),
    );
    for (const { needs, sets } of this.steps) {
      count(this.needers, needs, 1);
      count(this.setters, sets, 1);
    }
    for (const { sets, calls } of this.kinds) count(this.setters, sets, calls.length);
  }

  run(): boolean {
    if (!this.isPossible) return false;
    const path: Choice[] = [this.choose([])];
    for (let choice = path.at(-1); choice !== undefined; choice = path.at(-1)) {
      if (this.isOver) return true;
      const moves = choice.moves[choice.next];
      if (moves === undefined) {
        this.undo(choice);
        path.pop();
        continue;
      }
      choice.next += 1;
      path.push(this.choose(moves));
    }
    return false;
  }

  /** Is everything that is needed set by anyone? */
  private get isPossible(): boolean {
    return [...this.needers.keys()].every(
      (value) => value === this.value || (this.setters.get(value) ?? 0) > 0,
    );
  }

  private get isOver(): boolean {
    return this.following[this.steps.length] === this.steps.length;
  }

  /** Does the moves, then all reads that fit; what may follow is to be tried, unless it was. */
  private choose(moves: readonly Move[]): Choice {
    const { value } = this;
    const done: Move[] = [];
    const last = moves.at(-1);
    const isDead = last !== undefined && !this.mayLeave(last);
    for (const move of moves) this.do(move, done);
    if (isDead) return { moves: [], next: 0, done, value };
    let isReading = true;
    while (isReading) {
      const reads = this.available.filter((at) => this.isRead(at));
      for (const at of reads) this.do(at, done);
      isReading = reads.length > 0;
    }
    return { moves: this.isTried() ? [] : this.moves, next: 0, done, value };
  }

  /** Was it here, with no more of the unknown used? From now on it was. */
  private isTried(): boolean {
    const { key } = this;
    const used = this.kinds.map((kind) => kind.used);
    const before = this.tried.get(key) ?? [];
    if (before.some((each) => isWithin(each, used))) return true;
    this.tried.set(key, [...before.filter((each) => !isWithin(used, each)), used]);
    return false;
  }

  /** Will nobody see it? */
  private isUnseen(sets: Value): boolean {
    return (this.needers.get(sets) ?? 0) === 0 && !this.neededByKinds.has(sets);
  }

  private isRead(at: number): boolean {
    const { needs, sets } = this.steps[at] as Step;
    return sets === undefined && needs === this.value;
  }

  /** Nobody is left behind who needs the value that is there, and that nobody sets again. */
  private mayLeave(move: Move): boolean {
    const { value } = this;
    const { needs, sets } = this.effect(move);
    if (sets === undefined || sets === value) return true;
    const left = (this.needers.get(value) ?? 0) - (isStep(move) && needs === value ? 1 : 0);
    return left === 0 || (this.setters.get(value) ?? 0) > 0;
  }

  private effect(move: Move): Pick<Step, 'needs' | 'sets'> {
    return isStep(move) ? (this.steps[move] as Step) : move;
  }

  private do(move: Move, done: Move[]): void {
    done.push(move);
    const { needs, sets } = this.effect(move);
    if (sets !== undefined) this.value = sets;
    if (!isStep(move)) {
      if (move.isFree) return;
      move.used += 1;
      count(this.setters, sets, -1);
      return;
    }
    count(this.needers, needs, -1);
    count(this.setters, sets, -1);
    const { following, preceding } = this;
    const [before, behind] = [preceding[move] as number, following[move] as number];
    following[before] = behind;
    preceding[behind] = before;
    this.tops.push(Math.max(this.tops.at(-1) as number, move));
  }

  private undo({ done, value }: Choice): void {
    this.value = value;
    for (let move = done.pop(); move !== undefined; move = done.pop()) {
      const { needs, sets } = this.effect(move);
      if (!isStep(move)) {
        if (move.isFree) continue;
        move.used -= 1;
        count(this.setters, sets, 1);
        continue;
      }
      count(this.needers, needs, 1);
      count(this.setters, sets, 1);
      const { following, preceding } = this;
      following[preceding[move] as number] = move;
      preceding[following[move] as number] = move;
      this.tops.pop();
    }
  }

  /** The required steps that may be the next, in the order of their calls. */
  private get available(): number[] {
    const found: number[] = [];
    let least = Infinity;
    const end = this.steps.length;
    for (let at = this.following[end] as number; at !== end; at = this.following[at] as number) {
      const step = this.steps[at] as Step;
      if (step.call > least) break;
      found.push(at);
      least = Math.min(least, step.return);
    }
    return found;
  }

  private get moves(): Move[][] {
    const { value, available } = this;
    const unseen: number[] = [];
    const writes: number[] = [];
    for (const at of available) {
      const { needs, sets } = this.steps[at] as Step;
      if (sets === undefined) continue;
      if (needs === undefined && this.isUnseen(sets)) unseen.push(at);
      else if (needs === undefined || needs === value) writes.push(at);
    }
    const least = Math.min(...available.map((at) => (this.steps[at] as Step).return));
    const open = this.kinds.filter((kind) => (kind.calls[kind.used] ?? Infinity) <= least);
    const wanted = new Set(available.map((at) => (this.steps[at] as Step).needs));
    for (const kind of open) wanted.add(kind.needs);
    const optional = open.filter(
      ({ needs, sets }) =>
        sets !== value && wanted.has(sets) && (needs === undefined || needs === value),
    );
    const moves = [...writes, ...optional].map((move) =>
      this.effect(move).needs === undefined ? [...unseen, move] : [move],
    );
    return unseen.length > 0 ? [...moves, unseen] : moves;
  }

  /** What is done, and what is there: up to the greatest number done, those that are not. */
  private get key(): string {
    const top = this.tops.at(-1) as number;
    const missing: number[] = [];
    const end = this.steps.length;
    for (let at = this.following[end] as number; at < top; at = this.following[at] as number) {
      missing.push(at);
    }
    // Of a value that nobody needs it does not matter which it is.
    const isUnseen = this.isUnseen(this.value);
    return `${top};${missing.join()};${isUnseen ? '' : JSON.stringify(this.value)}`;
  }
}

/** Is each number at most the other one's? */
function isWithin(some: readonly number[], others: readonly number[]): boolean {
  return some.every((each, at) => each <= (others[at] ?? 0));
}

function isStep(move: Move): move is number {
  return typeof move === 'number';
}

function count(counts: Map<Value, number>, value: Value | undefined, change: number): void {
  if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + change);
}

function kindsOf(steps: readonly Step[]): Kind[] {
  const kinds = new Map<string, Step[]>();
  for (const step of steps) {
    const key = JSON.stringify([step.weight, step.needs ?? [step.needs === null], step.sets]);
    const same = kinds.get(key);
    if (same === undefined) kinds.set(key, [step]);
    else same.push(step);
  }
  return [...kinds.values()].map((same) => {
    const { needs, sets, weight } = same[0] as Step;
    const calls = same.map((step) => step.call).sort((a, b) => a - b);
    const isFree = weight === 'free';
    return { needs, sets, calls: isFree ? calls.slice(0, 1) : calls, isFree, used: 0 };
  });
}
