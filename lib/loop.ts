/**
 * The circle: the core one way, the adapters the other way round.
 *
 *                input$                                     action$
 *      ┌──────────────────────► raft(config) ──────────────────────────┐
 *      │   received, timedOut,   the consensus core:   sendMessage,     │
 *      │   proposed, persisted   no I/O, no clock,     persist, apply,  │
 *      │   …                     no chance             setElection…, …  │
 *      └───────────────────────── adapters ◄───────────────────────────┘
 *                    clock · storage · network · machine
 *                    each an OperatorFunction<its actions, its inputs>
 */
import type { OperatorFunction, Subscriber } from 'rxjs';
import { Observable } from 'rxjs';
import type { Action, ClockAction, MachineAction, NetworkAction, StorageAction } from './action.js';
import type { ClockInput, Input, MachineInput, NetworkInput, StorageInput } from './input.js';

/** One adapter for each device. Each completes when its actions complete. */
export interface Adapters<C = unknown, S = unknown> {
  readonly clock: OperatorFunction<ClockAction, ClockInput>;
  readonly storage: OperatorFunction<StorageAction<C, S>, StorageInput>;
  readonly network: OperatorFunction<NetworkAction<C, S>, NetworkInput<C, S>>;
  readonly machine: OperatorFunction<MachineAction<C, S>, MachineInput<C, S>>;
}

export type Device = keyof Adapters;

/** Whose an action is. `null`: a report, only downstream. */
export const deviceOf = {
  setElectionTimeout: 'clock',
  persist: 'storage',
  broadcastMessage: 'network',
  sendMessage: 'network',
  installSnapshot: 'network',
  apply: 'machine',
  restore: 'machine',
  accepted: 'machine',
  rejected: 'machine',
  readReady: 'machine',
  readRefused: 'machine',
  roleChanged: 'machine',
  committed: null,
  configChanged: null,
  dropped: null,
} as const satisfies { [T in Action['type']]: Device | null };

/**
 * Closes the circle: runs a core and its adapters until all of them are done.
 *
 * Each action goes to its device first, then downstream. What an adapter says goes to the core;
 * what it says before the core listens is kept until then. An error, the core's or an adapter's,
 * ends the loop once and tears everything down; when the core completes, each adapter's actions
 * complete, and the loop completes when all adapters have. Unsubscribing is a crash.
 *
 *     loop(pipe(takeUntil(stop$), raft(config)), { clock, storage, network, machine })
 *
 * A throw inside a subscriber's own `next` is rxjs's unhandled error, and does not end the loop.
 */
export function loop<C, S>(
  core: OperatorFunction<Input<C, S>, Action<C, S>>,
  adapters: Adapters<C, S>,
): Observable<Action<C, S>> {
  return new Observable((subscriber) => {
    const devices = {
      clock: new Outlet<ClockAction>(),
      storage: new Outlet<StorageAction<C, S>>(),
      network: new Outlet<NetworkAction<C, S>>(),
      machine: new Outlet<MachineAction<C, S>>(),
    };
    let early: Input<C, S>[] = [];
    let inlet: Subscriber<Input<C, S>> | null = null;
    /** Of the core and its adapters, those that are not done. */
    let underway = 1;

    const onDone = (): void => {
      underway -= 1;
      if (underway === 0) subscriber.complete();
    };

    const start = <A>(adapter: OperatorFunction<A, Input<C, S>>, action$: Observable<A>): void => {
      underway += 1;
      const input$ = adapter(action$);
      subscriber.add(
        input$.subscribe({
          next: (input) => {
            if (inlet === null) early.push(input);
            else inlet.next(input);
          },
          error: (error: unknown) => subscriber.error(error),
          complete: onDone,
        }),
      );
    };

    const input$ = new Observable<Input<C, S>>((listener) => {
      inlet = listener;
      const kept = early;
      early = [];
      for (const input of kept) listener.next(input);
    });

    start(adapters.clock, devices.clock.action$);
    start(adapters.storage, devices.storage.action$);
    start(adapters.network, devices.network.action$);
    start(adapters.machine, devices.machine.action$);
    if (subscriber.closed) return;
    subscriber.add(
      core(input$).subscribe({
        next: (action) => {
          const device = deviceOf[action.type];
          if (device !== null) (devices[device] as Outlet<Action<C, S>>).next(action);
          subscriber.next(action);
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          for (const device of Object.values(devices)) device.complete();
          onDone();
        },
      }),
    );
  });
}

/** The actions of one device. Nearly always one listener has them: a Subject costs more. */
class Outlet<A> {
  private listeners: readonly Subscriber<A>[] = [];
  private isDone = false;
  readonly action$ = new Observable<A>((listener) => {
    if (this.isDone) listener.complete();
    this.listeners = [...this.listeners, listener];
    return () => {
      this.listeners = this.listeners.filter((each) => each !== listener);
    };
  });

  next(action: A): void {
    for (const listener of this.listeners) listener.next(action);
  }

  complete(): void {
    this.isDone = true;
    for (const listener of this.listeners) listener.complete();
  }
}
