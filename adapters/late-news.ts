/**
 * The news of a commitment, told late. A leader calls its followers at once when everything is
 * committed, so that they apply it, and they answer. With one client that wakes each of them once
 * more for every command, for what the next entries would have told them: here the news waits for
 * these a little while.
 */
import type { OperatorFunction, SchedulerLike } from 'rxjs';
import { Observable, Subscription, tap } from 'rxjs';
import type { Action, NetworkAction } from '../lib/action.js';
import type { Input } from '../lib/input.js';
import type { LogIndex, NodeId } from '../lib/position.js';

type Call<C> = Extract<NetworkAction<C, never>, { readonly message: unknown }>;

const receivers = (call: Call<unknown>): readonly NodeId[] =>
  call.type === 'sendMessage' ? [call.to] : call.to;

/** Does whoever was to be called first hear from the second call? */
function isToAllOf(first: Call<unknown> | null, second: Call<unknown>): boolean {
  return first === null || receivers(first).every((id) => receivers(second).includes(id));
}

/**
 * A core whose followers learn of a commitment with the next call, and after `waitMs` to twice that
 * at the latest. What a call owes to a heartbeat or to a read does not wait, and the last news of a
 * leader leaves with its role. News that all who wait for it are told by a newer call is left out.
 *
 * With a wait of three frames:
 *
 *     core                -n-e-n-----(nr)-     n: a call with nothing but news,
 *     late                ---e----n--(nr)-     e: one with entries, r: a change of the role
 *
 * `scheduler` must have timers.
 */
export function lateNews<C, S>(
  core: OperatorFunction<Input<C, S>, Action<C, S>>,
  scheduler: SchedulerLike,
  waitMs = 5,
): OperatorFunction<Input<C, S>, Action<C, S>> {
  return (input$) =>
    new Observable((subscriber) => {
      let told: LogIndex = 0;
      let isAsked = false;
      let held: Call<C> | null = null;
      let step = Subscription.EMPTY;
      let isWaiting = false;

      const onInput = ({ type }: Input<C, S>): void => {
        if (type === 'readRequested' || type === 'timedOut') isAsked = true;
      };

      const tell = (): void => {
        const news = held;
        held = null;
        if (news !== null) subscriber.next(news);
      };

      /** One timer for all: what is younger than it waits once more. */
      const wait = (): void => {
        if (isWaiting || held === null || subscriber.closed) return;
        isWaiting = true;
        const news = held;
        // A step of rxjs's schedulers stays open when it has run.
        step.unsubscribe();
        step = scheduler.schedule(() => {
          isWaiting = false;
          if (held === news) tell();
          else wait();
        }, waitMs);
      };

      const onAction = (action: Action<C, S>): void => {
        if (action.type === 'roleChanged') tell();
        if (!('message' in action) || action.message.type !== 'appendEntriesCall') {
          return subscriber.next(action);
        }
        const { entries, commitIndex } = action.message;
        // Who is asked where its log ends is called behind another place than the newest one.
        const isNews =
          entries.length === 0 && entries.prevPosition.index === commitIndex && commitIndex > told;
        const waits = isNews && !isAsked;
        told = Math.max(told, commitIndex);
        isAsked = false;
        if (!isToAllOf(held, action)) tell();
        held = waits ? action : null;
        if (waits) wait();
        else subscriber.next(action);
      };

      subscriber.add(() => step.unsubscribe());
      subscriber.add(
        core(input$.pipe(tap(onInput))).subscribe({
          next: onAction,
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            tell();
            subscriber.complete();
          },
        }),
      );
    });
}
