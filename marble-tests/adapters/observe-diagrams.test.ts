/**
 * `observe` as diagrams: "a snapshot, then the tail from the last index seen", on a socket that is
 * drawn. It runs in pages as well.
 *
 *     o open, s snapshot, e an entry, i a sign of life, | the connection is lost
 */
import type { Observable, Subscription } from 'rxjs';
import { asyncScheduler, map } from 'rxjs';
import type { Context } from 'rxjs-marbles';
import { describe, expect, it } from 'vitest';
import { valueCodec } from '../../adapters/codec.js';
import type { AnySocket, AnySocketClass } from '../../adapters/gateway/any-socket.js';
import { decodeRequests, encodeAnswer } from '../../adapters/gateway/protocol.js';
import type { Observed } from '../../adapters/observe.js';
import { observe } from '../../adapters/observe.js';
import type { ReplicaAnswer, ReplicaRequest } from '../../adapters/replica/protocol.js';
import { replicaProtocol } from '../../adapters/replica/protocol.js';
import { marbles } from '../marbles.js';

type Update = ReplicaAnswer<null> | 'open';

const protocol = replicaProtocol<null>(valueCodec());
const words = valueCodec<string>();
const states = valueCodec<string>();

const snapshot = (index: number, state: string): Update => ({
  ...{ type: 'snapshot', index, state: states.encode(state) },
});
const entries = (index: number, word: string): Update => ({
  ...{ type: 'entries', index, blocks: [{ term: 1, index, commands: [words.encode(word)] }] },
});
const silence = (index: number): Update => ({ type: 'entries', index, blocks: [] });

/** Sockets that live as they are drawn, one after the other, and what they were asked. */
function drawn(m: Context, lives: readonly (readonly [string, Record<string, Update>])[]) {
  const rest = lives.map(([life, values]) => m.cold<Update>(life, { o: 'open', ...values }));
  const sockets = [...rest];
  const dialled: string[] = [];
  const asked: ReplicaRequest[] = [];
  class DrawnSocket implements AnySocket {
    binaryType = '';
    readonly readyState = 1;
    readonly bufferedAmount = 0;
    onopen: AnySocket['onopen'] = null;
    onerror: AnySocket['onerror'] = null;
    onmessage: AnySocket['onmessage'] = null;
    onclose: AnySocket['onclose'] = null;
    private readonly life: Subscription | undefined;

    constructor(url: string) {
      dialled.push(new URL(url).host);
      this.life = sockets.shift()?.subscribe({
        next: (update) => this.onUpdate(update),
        complete: () => this.onclose?.({ code: 1006, reason: 'gone' } as never),
      });
    }

    send(frame: Uint8Array): void {
      for (const each of decodeRequests(protocol, frame)) asked.push(each.asked.request);
    }

    close(): void {
      this.life?.unsubscribe();
    }

    private onUpdate(update: Update): void {
      if (update === 'open') return this.onopen?.({} as never);
      const { buffer } = new Uint8Array(encodeAnswer(protocol, 1, update));
      this.onmessage?.({ data: buffer } as never);
    }
  }
  const webSocket: AnySocketClass = DrawnSocket;
  return { webSocket, dialled, asked, lives: rest };
}

/** The pause between two tries is two frames long, or what is drawn. */
function follow(webSocket: AnySocketClass, silenceMs = 100): Observed<string> {
  return observe<string, string, null>(['a:1', 'b:1'], {
    ...{ reducer: (state, word) => ({ state: state + word, result: null }), webSocket, silenceMs },
    ...{ reconnectMs: { minimum: 4, maximum: 8 }, random: () => 0, scheduler: asyncScheduler },
  });
}

const phases = ({ status$ }: Observed<string>): Observable<string> =>
  status$.pipe(map(({ phase }) => phase));

describe('who observes', () => {
  it(
    'has a snapshot, then the tail, at the next node from the last index seen',
    marbles((m) => {
      const first = '       os-e-f---|         ';
      const next = '                   o-e-i- ';
      const entry = { e: entries(5, 'y'), f: entries(7, 'z') };
      const { webSocket, lives } = drawn(m, [
        [first, { s: snapshot(4, 'x'), ...entry }],
        [next, { e: entries(8, '!'), i: silence(9) }],
      ]);
      const { state$ } = follow(webSocket);
      const unsubscribed = '^-----------------!';
      const expected = '    -a-b-c-------d---';
      const states$ = { a: 'x', b: 'xy', c: 'xyz', d: 'xyz!' };
      m.expect(state$, unsubscribed).toBeObservable(expected, states$);
      const dialled = ['^--------!', '-----------^------!'];
      lives.forEach((life, at) => m.expect(life).toHaveSubscriptions(dialled[at] ?? ''));
    }),
  );

  it('asks for what is behind the last index, and for everything first', () => {
    let asked: ReplicaRequest[] = [];
    marbles((m) => {
      const socket = drawn(m, [
        ['os-|', { s: snapshot(4, 'x') }],
        ['o-e-', { e: entries(5, 'y') }],
      ]);
      ({ asked } = socket);
      m.expect(follow(socket.webSocket).state$, '^--------!').toBeObservable('-a-----b--', {
        ...{ a: 'x', b: 'xy' },
      });
    })();
    expect(asked).toEqual([
      { type: 'watch', after: null },
      { type: 'watch', after: 4 },
    ]);
  });

  it(
    'gives up a node that says nothing',
    marbles((m) => {
      const { webSocket } = drawn(m, [
        ['o---------------', {}],
        ['os--------------', { s: snapshot(1, 'x') }],
      ]);
      const observed = follow(webSocket, 6);
      m.expect(observed.state$, '     ^-----------!').toBeObservable('---------a---', { a: 'x' });
      m.expect(phases(observed), '    ^-----------!').toBeObservable('c-----w-cl--i', {
        ...{ c: 'connecting', w: 'waiting', l: 'live', i: 'idle' },
      });
    }),
  );

  it(
    'never goes back: a node that is behind is left for the next one',
    marbles((m) => {
      const { webSocket } = drawn(m, [
        ['os|', { s: snapshot(9, 'x') }],
        ['oi-', { i: silence(3) }],
        ['oe-', { e: entries(10, 'y') }],
      ]);
      // The second pause is twice as long: two failures in a row.
      m.expect(follow(webSocket).state$, '^-----------!').toBeObservable('-a--------b--', {
        ...{ a: 'x', b: 'xy' },
      });
    }),
  );
});
