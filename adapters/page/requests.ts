/** What the page asks of the cluster: puts and reads, through whichever node can be reached. */
import type { Observable } from 'rxjs';
import {
  defer,
  EMPTY,
  filter,
  interval,
  map,
  merge,
  mergeMap,
  of,
  race,
  range,
  repeat,
  take,
  timer,
} from 'rxjs';
import { ofType } from '../../lib/selectors.js';
import type { AnswerFrame, LiveFrame } from '../live/protocol.js';
import type { LinkEvent } from './link.js';
import type { Model } from './model.js';

export interface Outcome {
  readonly outcome: AnswerFrame['outcome'];
  readonly text: string;
  /** Which node was asked. */
  readonly node: string;
  readonly elapsedMs: number;
}

export type Ask =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'get'; readonly key: string };

/** How hard the page writes by itself. */
export type Pace = 'off' | 'few' | 'some' | 'many';

/** Nobody waits for ever: a node gives up after 3 s. */
const patienceMs = 6000;

export class Requests {
  private ids = 0;

  constructor(
    private readonly model: Model,
    private readonly event$: Observable<LinkEvent>,
  ) {}

  /** One outcome, and the end. */
  ask(asked: Ask): Observable<Outcome> {
    return defer(() => {
      const begin = performance.now();
      const id = (this.ids += 1);
      const node = this.model.door;
      const end = (outcome: Outcome['outcome'], text: string): Outcome => ({
        ...{ outcome, text, node: node?.id ?? '' },
        elapsedMs: performance.now() - begin,
      });
      if (node === null || node.send === null) return of(end('refused', 'no node can be reached'));
      const answer$ = this.event$.pipe(
        ofType<LinkEvent, 'frame'>('frame'),
        filter((event) => event.id === node.id),
        map(({ frame }) => frame),
        ofType<LiveFrame, 'answer'>('answer'),
        filter((frame) => frame.id === id),
        map(({ outcome, text }) => end(outcome, text)),
      );
      const lost$ = this.event$.pipe(
        ofType<LinkEvent, 'down'>('down'),
        filter((event) => event.id === node.id),
        map(() => end('unknown', `${node.id} was lost before it answered`)),
      );
      const late$ = timer(patienceMs).pipe(map(() => end('unknown', 'no answer in time')));
      const { send } = node;
      const sent$ = defer(() => {
        send({ ...asked, id });
        return EMPTY;
      });
      return merge(race(answer$, lost$, late$), sent$).pipe(take(1));
    });
  }

  /** Writes, one after the other or many at once, until it is unsubscribed. */
  writing(pace: Pace): Observable<Outcome> {
    let count = 0;
    const put$ = defer(() => {
      count += 1;
      return this.ask({ type: 'put', key: `written/${count % 1000}`, value: String(count) });
    });
    if (pace === 'off') return EMPTY;
    if (pace === 'few') return interval(250).pipe(mergeMap(() => put$, 16));
    if (pace === 'some') return interval(20).pipe(mergeMap(() => put$, 64));
    // A refusal comes at once: it is not asked again at once.
    const again = { delay: () => timer(this.model.leader === null ? 250 : 0) };
    return range(64).pipe(mergeMap(() => put$.pipe(repeat(again))));
  }
}
