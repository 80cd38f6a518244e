/**
 * Raft as an operator: inputs in, actions out.
 */
import type { OperatorFunction, SchedulerLike } from 'rxjs';
import { Observable, Subscription } from 'rxjs';
import type { Action } from './action.js';
import type { RaftConfig } from './config.js';
import type { Input } from './input.js';
import { Node } from './node.js';

/**
 * Turns messages, timeouts and proposals into actions. Cold: each subscription is a new node, which
 * starts from what the configuration remembers, and unsubscribing is a crash.
 *
 *     input$:   -t--------p---v----------    t timedOut, p persisted, v a vote
 *               raft({ id: 'a', initialVoters: ['a', 'b', 'c'] })
 *     action$:  s(Csw)----(m)-(Lsmw)-----    s setElectionTimeout, m message, w persist,
 *                                            C, L roleChanged
 *
 * The operator owns the one queue. Inputs that arrive while actions are being emitted wait, are
 * handled together, and are answered together afterwards: nothing is reordered, lost or nested, and
 * a chain of synchronous answers does not grow the stack.
 *
 * `scheduler` is the turn: all inputs between two of its steps are answered by one `persist`, at
 * most one call per peer, and one `apply`. Without it every input is answered synchronously.
 *
 * Completes when its inputs complete, after what they caused. A broken invariant is its error: the
 * node dies rather than lies. Throws a ConfigError, at once, that names the field at fault.
 */
export function raft<C = unknown, S = unknown>(
  config: RaftConfig<C, S>,
  scheduler?: SchedulerLike,
): OperatorFunction<Input<C, S>, Action<C, S>> {
  // Bad ones are refused here. The node that shows it is the first to be used: to read a long log
  // in takes its time.
  let checked: Node<C, S> | null = new Node(config);
  return (input$) =>
    new Observable((subscriber) => {
      const node = checked ?? new Node(config);
      checked = null;
      let step = Subscription.EMPTY;
      let waiting: Input<C, S>[] = [];
      let isRunning = true;
      let isScheduled = false;
      let isEnding = false;

      /** Everything that waits is handled, then answered. What comes meanwhile waits. */
      const turn = (): void => {
        const inputs = waiting;
        waiting = [];
        for (const input of inputs) node.handle(input);
        for (const action of node.take()) {
          if (subscriber.closed) return;
          subscriber.next(action);
        }
      };

      const isTurnDue = (): boolean => !subscriber.closed && (waiting.length > 0 || node.isMoreDue);
      const isAnsweredAtOnce = (): boolean => scheduler === undefined || isEnding;

      const run = (): void => {
        isRunning = true;
        isScheduled = false;
        try {
          do turn();
          while (isTurnDue() && isAnsweredAtOnce());
        } catch (error) {
          subscriber.error(error);
        }
        isRunning = false;
        if (isEnding) subscriber.complete();
        else if (isTurnDue()) runSoon();
      };

      const runSoon = (): void => {
        if (isRunning || isScheduled) return;
        isScheduled = true;
        if (scheduler === undefined) run();
        else {
          // A step of rxjs's schedulers stays open when it has run: it is let go with the next one.
          step.unsubscribe();
          step = scheduler.schedule(run);
        }
      };

      subscriber.add(() => step.unsubscribe());
      // The inputs come first, and wait, so that what answers the first actions is not lost.
      subscriber.add(
        input$.subscribe({
          next: (input) => {
            waiting.push(input);
            runSoon();
          },
          error: (error: unknown) => subscriber.error(error),
          complete: () => {
            isEnding = true;
            if (!isRunning) run();
          },
        }),
      );
      run();
    });
}
