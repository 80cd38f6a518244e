/**
 * A node that wins and loses in one turn: it never says that it leads, and its log has the entry
 * with which it began its term.
 */
import { Subject, VirtualTimeScheduler } from 'rxjs';
import { expect, it } from 'vitest';
import { traced } from '../../adapters/trace.js';
import type { Action, Input, Message } from '../../lib/index.js';
import { raft } from '../../lib/index.js';
import { parseLine } from './line.js';
import { replay } from './model.js';
import { Violation } from './rules.js';

type Told = Input<string, string>;

const voters = ['a', 'b', 'c'];

/** Three nodes in one trace, each of which takes in what it is told in one turn. */
class Trio {
  readonly lines: string[] = [];
  private readonly sent: { readonly to: readonly string[]; readonly message: Message<string> }[] =
    [];
  private readonly inputs = new Map<string, Subject<Told>>();
  private readonly time = new VirtualTimeScheduler();
  private readonly written = new Map<string, number>();

  constructor() {
    for (const id of voters) {
      const input$ = new Subject<Told>();
      this.inputs.set(id, input$);
      const config = { id, initialVoters: voters };
      const write = (line: string): number => this.lines.push(line);
      const core = traced(raft<string, string>(config, this.time), { ...config, write });
      input$.pipe(core).subscribe((action) => this.onAction(id, action));
    }
    this.time.flush();
    for (const id of voters) this.persisted(id);
  }

  private onAction(id: string, action: Action<string, string>): void {
    if (action.type === 'persist') this.written.set(id, action.sequence);
    if (action.type === 'sendMessage') this.sent.push({ ...action, to: [action.to] });
    if (action.type === 'broadcastMessage') this.sent.push(action);
  }

  /** In one turn. */
  tell(id: string, ...inputs: readonly Told[]): void {
    for (const input of inputs) this.inputs.get(id)?.next(input);
    this.time.flush();
  }

  persisted(id: string): void {
    this.tell(id, { type: 'persisted', sequence: this.written.get(id) ?? 0 });
  }

  /** What one has sent to another last. */
  from(id: string, to: string): Told {
    const last = this.sent.filter((each) => each.message.from === id && each.to.includes(to));
    const message = last.at(-1)?.message;
    if (message === undefined) throw new Error(`${id} has sent nothing to ${to}`);
    return { type: 'received', message };
  }

  campaign(id: string): void {
    this.tell(id, { type: 'minimumElapsed' }, { type: 'timedOut' });
    this.persisted(id);
  }
}

/** `a` is elected in term 1, and hears of term 2 in the same turn. */
function brief(): Trio {
  const trio = new Trio();
  trio.campaign('a');
  trio.tell('b', { type: 'minimumElapsed' }, trio.from('a', 'b'));
  trio.persisted('b');
  for (let term = 1; term <= 2; term += 1) trio.campaign('c');
  trio.tell('c', trio.from('a', 'c'));
  trio.tell('a', trio.from('b', 'a'), trio.from('c', 'a'));
  return trio;
}

it('is a leader all the same, and what it appended may be', () => {
  const { lines } = brief();
  const events = lines.map(parseLine).filter(({ node }) => node === 'a');
  expect(events.map(({ event }) => event)).not.toContain('becomeLeader');
  expect(lines.some((line) => line.includes('"list":[[1,null]]'))).toBe(true);
  expect(replay(lines).lines).toBe(lines.length);
});

it('is none without the votes', () => {
  const lines = brief().lines.map((line) =>
    line.replace('"term":1,"voteGranted":true', '"term":1,"voteGranted":false'),
  );
  expect(() => replay(lines)).toThrow(Violation);
  expect(() => replay(lines)).toThrow(/^origin: a appends entry 2 of term 1, which no leader/);
});
