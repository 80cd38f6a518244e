/** "A child that dies is restarted by the program about 2 s later." Here sooner. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BehaviorSubject, filter, firstValueFrom, ReplaySubject, take, toArray } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChildEvent } from '../../../adapters/key-value/child.js';
import { child } from '../../../adapters/key-value/child.js';

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'rxraft-'))));
afterAll(() => rmSync(folder, { recursive: true }));

let count = 0;
function programOf(text: string): string {
  const path = join(folder, `program-${(count += 1)}.cjs`);
  writeFileSync(path, text);
  return path;
}

const types = (events: readonly ChildEvent<unknown>[]): string[] =>
  events.map((event) => (event.type === 'ended' ? event.cause : event.type));

describe('a child', () => {
  it('is heard: its messages, its lines of both streams, and its end', async () => {
    const program = programOf(
      "process.send({ said: process.argv.slice(2) }); console.log('out'); console.error('err');" +
        'process.disconnect(); process.exitCode = 3;',
    );
    const events = await firstValueFrom(
      child({ program, args: ['a', 'b c'], stop$: new ReplaySubject(1) }).pipe(take(5), toArray()),
    );
    expect(events[0]).toMatchObject({ type: 'started' });
    expect(events).toContainEqual({ type: 'message', message: { said: ['a', 'b c'] } });
    expect(events).toContainEqual({ type: 'line', text: 'out' });
    expect(events).toContainEqual({ type: 'line', text: 'err' });
    expect(events[4]).toEqual({ type: 'ended', cause: 'ended with exit code 3', pauseMs: 2000 });
  });

  it('is run again after a pause, a longer one each time that it ends at once', async () => {
    const program = programOf('');
    const events = await firstValueFrom(
      child({ program, args: [], stop$: new ReplaySubject(1), pauseMs: 4 }).pipe(
        filter((event) => event.type === 'ended'),
        take(6),
        toArray(),
      ),
    );
    expect(events.map(({ pauseMs }) => pauseMs)).toEqual([4, 8, 16, 32, 64, 64]);
  });

  it('is asked to stop, and the stream ends with it', async () => {
    const program = programOf(
      "setInterval(() => {}, 1000); process.on('SIGTERM', () => process.exit(0)); process.send(1);",
    );
    const stop$ = new ReplaySubject<unknown>(1);
    const events: ChildEvent<unknown>[] = [];
    await new Promise<void>((complete) =>
      child({ program, args: [], stop$ }).subscribe({
        next: (event) => {
          events.push(event);
          if (event.type === 'message') stop$.next(null);
        },
        complete,
      }),
    );
    expect(types(events)).toEqual(['started', 'message', 'ended with exit code 0']);
  });

  it('that does not stop is killed', async () => {
    const program = programOf(
      "setInterval(() => {}, 1000); process.on('SIGTERM', () => {}); process.send(1);",
    );
    const stop$ = new ReplaySubject<unknown>(1);
    const events: ChildEvent<unknown>[] = [];
    await new Promise<void>((complete) =>
      child({ program, args: [], stop$, graceMs: 50 }).subscribe({
        next: (event) => {
          events.push(event);
          if (event.type === 'message') stop$.next(null);
        },
        complete,
      }),
    );
    expect(types(events)).toEqual(['started', 'message', 'was ended by SIGKILL']);
  });

  it('is not run again once the stop has been said', async () => {
    const stop$ = new ReplaySubject<unknown>(1);
    const program = programOf('');
    const events: ChildEvent<unknown>[] = [];
    await new Promise<void>((complete) =>
      child({ program, args: [], stop$, pauseMs: 1e6 }).subscribe({
        next: (event) => {
          events.push(event);
          if (event.type === 'ended') setTimeout(() => stop$.next(null), 20);
        },
        complete,
      }),
    );
    expect(types(events)).toEqual(['started', 'ended with exit code 0']);
  });

  it('that is not wanted is killed, and runs again when it is', async () => {
    const program = programOf('setInterval(() => {}, 1000);');
    const wanted$ = new BehaviorSubject(true);
    const events: ChildEvent<unknown>[] = [];
    const running = child({ program, args: [], stop$: new ReplaySubject(1), wanted$ }).subscribe(
      (event) => events.push(event),
    );
    await expect.poll(() => types(events), { timeout: 10_000 }).toEqual(['started']);
    wanted$.next(false);
    const killed = 'was ended by SIGKILL';
    await expect.poll(() => types(events), { timeout: 10_000 }).toEqual(['started', killed]);
    expect(events[1]).toMatchObject({ pauseMs: null });
    wanted$.next(true);
    await expect
      .poll(() => types(events), { timeout: 10_000 })
      .toEqual(['started', killed, 'started']);
    running.unsubscribe();
  });

  it('dies with its subscription', async () => {
    const program = programOf('setInterval(() => {}, 1000); process.send(process.pid);');
    const event = await firstValueFrom(
      child<number>({ program, args: [], stop$: new ReplaySubject(1) }).pipe(
        filter((each) => each.type === 'message'),
      ),
    );
    const isGone = (): boolean => {
      try {
        return !process.kill(event.message, 0);
      } catch {
        return true;
      }
    };
    await expect.poll(isGone, { timeout: 5000 }).toBe(true);
  });
});
