/** A process that is kept running: a stream of what it says and how it ends, time after time. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { defer, delay, NEVER, Observable, of, repeat, switchMap, takeUntil, timer } from 'rxjs';

export type ChildEvent<Message> =
  | { readonly type: 'started'; readonly pid: number }
  | { readonly type: 'message'; readonly message: Message }
  /** A line that it wrote: to its user, or about a fault. */
  | { readonly type: 'line'; readonly text: string }
  /** `cause` in words; `pauseMs` until it is started again, or null: until it is wanted again. */
  | { readonly type: 'ended'; readonly cause: string; readonly pauseMs: number | null };

export interface ChildOptions {
  readonly program: string;
  readonly args: readonly string[];
  /** Ends the child, and then the stream. Must replay. */
  readonly stop$: Observable<unknown>;
  /** False kills it, and it is not started again before true. Must replay. Default: true. */
  readonly wanted$?: Observable<boolean>;
  /** How long the child may take to stop before it is killed. Default 1,700. */
  readonly graceMs?: number;
  /** Before it is started again. Twice as long after a short run, up to 16 times. Default 2,000. */
  readonly pauseMs?: number;
}

/** A shorter run is a failed start. */
const shortRunMs = 5000;

/**
 * Runs a Node program, and runs it again when it ends. `s` started, `e` ended:
 *
 *     stop$               -------------x
 *     child               s---e--s------e|
 *
 * Unsubscribing kills it.
 */
export function child<Message>(options: ChildOptions): Observable<ChildEvent<Message>> {
  const { stop$, wanted$ = of(true), pauseMs: shortestMs = 2000 } = options;
  let failures = 0;
  let pauseMs = shortestMs;
  return defer(() => {
    const startedAt = performance.now();
    const onEnd = (): number => {
      failures = performance.now() - startedAt < shortRunMs ? Math.min(failures + 1, 5) : 1;
      return (pauseMs = shortestMs * 2 ** (failures - 1));
    };
    return oneRun<Message>(options, onEnd);
  }).pipe(
    repeat({
      delay: () =>
        wanted$.pipe(
          // Who wants it back after all does not wait.
          switchMap((wanted, at) => (wanted ? timer(at === 0 ? pauseMs : 0) : NEVER)),
          takeUntil(stop$),
        ),
    }),
  );
}

function oneRun<Message>(
  { program, args, stop$, wanted$ = of(true), graceMs = 1700 }: ChildOptions,
  onEnd: () => number,
): Observable<ChildEvent<Message>> {
  return new Observable((subscriber) => {
    // In a process group of its own: Ctrl-C reaches the one who started it, and nobody twice.
    const running = spawn(process.execPath, [program, ...args], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: process.platform !== 'win32',
    });
    let isWanted = true;
    const end = (cause: string): void => {
      if (subscriber.closed) return;
      subscriber.next({ type: 'ended', cause, pauseMs: isWanted ? onEnd() : null });
      subscriber.complete();
    };
    if (running.pid !== undefined) subscriber.next({ type: 'started', pid: running.pid });
    running.on('message', (message) =>
      subscriber.next({ type: 'message', message: message as Message }),
    );
    for (const input of [running.stdout, running.stderr]) {
      if (input === null) continue;
      createInterface({ input }).on('line', (text) => subscriber.next({ type: 'line', text }));
    }
    running.on('error', (error) => end(`could not be run: ${error.message}`));
    // Not 'exit': what it has written last is to be read first.
    running.on('close', (code, signal) =>
      end(signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`),
    );
    subscriber.add(
      wanted$.subscribe((wanted) => {
        isWanted = wanted;
        if (!wanted) running.kill('SIGKILL');
      }),
    );
    subscriber.add(stop$.subscribe(() => running.kill('SIGTERM')));
    subscriber.add(stop$.pipe(delay(graceMs)).subscribe(() => running.kill('SIGKILL')));
    subscriber.add(() => running.kill('SIGKILL'));
  });
}
