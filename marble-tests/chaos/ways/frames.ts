/** WebSocket frames on one connection to one node. */
import type { Answer, Request } from '../../../adapters/key-value/client-protocol.js';
import type { Connection } from '../../../adapters/key-value/connection.js';
import { connect } from '../../../adapters/key-value/connection.js';
import { get, put } from '../../cluster/load.js';
import type { Asked, Door, DoorOptions, Outcome, Way } from './way.js';
import { patienceMs, Turns } from './way.js';

const open = (options: DoorOptions): Door => new FrameDoor(options);

/** One request after the other, each in a frame of its own. */
export const frames: Way = { name: 'frames', open, rows: 1, atOnce: 1, pauseMs: 30 };

/** Requests that are made at once leave in one frame; several such are under way. */
export const batches: Way = { name: 'batches', open, rows: 2, atOnce: 5, pauseMs: 60 };

/** A connection, and what waits for its answers. */
interface Line {
  readonly connection: Connection;
  underway: number;
}

class FrameDoor implements Door {
  private readonly turns: Turns;
  private line: Promise<Line | null> | null = null;
  /** No more is asked there. */
  private readonly retired = new Set<Line>();

  constructor(options: DoorOptions) {
    this.turns = new Turns(options);
  }

  async ask(asked: Asked): Promise<Outcome | null> {
    const dialled = (this.line ??= this.dial());
    const line = await dialled;
    if (line?.connection.isOpen !== true) {
      if (this.line === dialled) this.line = null;
      return null;
    }
    line.underway += 1;
    const answer = await answerOf(line.connection, requestOf(asked));
    line.underway -= 1;
    const isVain = answer.type === 'unknown' || answer.type === 'refused';
    if (isVain && this.line === dialled) {
      this.line = null;
      this.retired.add(line);
    }
    if (line.underway === 0 && this.retired.delete(line)) line.connection.close();
    return outcomeOf(asked, answer);
  }

  leave(): void {
    void this.line?.then((line) => line?.connection.close());
    this.line = null;
    for (const { connection } of this.retired) connection.close();
    this.retired.clear();
  }

  private async dial(): Promise<Line | null> {
    try {
      const connection = await connect(this.turns.next(), { connectTimeoutMs: 500 });
      return { connection, underway: 0 };
    } catch {
      return null;
    }
  }
}

function requestOf({ op, key, value, expected, isStale }: Asked): Request {
  const condition = typeof expected === 'string' ? Buffer.from(expected) : null;
  switch (op) {
    case 'get':
      return get(key, isStale === true);
    case 'put':
      return put(key, value ?? '');
    case 'cas':
      return put(key, value ?? '', condition ?? 'absent');
    case 'delete':
      return { type: 'command', command: { type: 'delete', key: Buffer.from(key), condition } };
  }
}

async function answerOf(connection: Connection, request: Request): Promise<Answer> {
  const late = setTimeout(() => connection.close('it did not answer in time'), patienceMs);
  try {
    return await connection.ask(request);
  } catch (error) {
    return { type: 'unknown', text: String(error) };
  } finally {
    clearTimeout(late);
  }
}

function outcomeOf({ op, expected }: Asked, answer: Answer): Outcome {
  if (answer.type === 'unknown') return { outcome: 'unknown' };
  if (answer.type === 'refused') return { outcome: 'fail' };
  if (op === 'get' && answer.type === 'value') {
    return { outcome: 'ok', result: Buffer.from(answer.value).toString() };
  }
  const mayMiss = op === 'get' || (op === 'delete' && expected === undefined);
  if (mayMiss && answer.type === 'missing') return { outcome: 'ok', result: null };
  if (expected !== undefined && answer.type === 'conflict') return { outcome: 'fail' };
  if (op !== 'get' && answer.type === 'done') return { outcome: 'ok' };
  throw new Error(`${answer.type} is no answer to a ${op}`);
}
