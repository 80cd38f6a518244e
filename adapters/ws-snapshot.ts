/**
 * A snapshot on its way (§7): a connection of its own, so that pieces of two snapshots can't mix.
 *
 *     sends       ["snapshot", term, length, sha256]   chunk  chunk  …
 *     answers     ["received"]
 *
 * The whole is verified before anybody sees it.
 */
import { createHash } from 'node:crypto';
import {
  catchError,
  defer,
  ignoreElements,
  Observable,
  switchMap,
  takeWhile,
  throwError,
  timeout,
  timer,
} from 'rxjs';
import * as v from 'valibot';
import type { WebSocket } from 'ws';
import type { Term } from '../lib/position.js';
import { DecodeError, packSnapshot } from './codec.js';
import { pauseMs } from './pause.js';
import type { InstallSnapshot } from './transfers.js';
import { causeOf } from './cause.js';
import { ConnectionLost, dial } from './ws-dial.js';
import { wordsOf } from './ws-handshake.js';
import type { Settings } from './ws-settings.js';

const chunkBytes = 256 << 10;

const natural = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const headerWords = v.strictTuple([
  v.literal('snapshot'),
  natural,
  v.pipe(natural, v.minValue(1)),
  v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
]);
const receivedWords = v.strictTuple([v.literal('received')]);

export const receivedWord = JSON.stringify(['received']);

/**
 * One transfer. Completes when the peer has the whole, or when that failed: then after a pause, so
 * that nobody asks again at once. A snapshot that can't be encoded is its error.
 */
export function transferSnapshot<C, S>(
  install: InstallSnapshot<C, S>,
  settings: Settings<C, S>,
): Observable<never> {
  const { peers, report, scheduler, stallTimeoutMs: each } = settings;
  const { to, term } = install;
  return defer(() => {
    const bytes = packSnapshot(install.snapshot, settings.snapshots);
    const stalled = (): Observable<never> => throwError(() => new ConnectionLost('stalled'));
    return defer(() => {
      const address = peers(to);
      if (to === settings.id) throw new ConnectionLost('to this node itself');
      if (address === undefined) throw new ConnectionLost('unknown address');
      if (bytes.length > settings.maxSnapshotBytes) throw new ConnectionLost('too large');
      return dial(to, address, 'snapshot', settings);
    }).pipe(
      switchMap((socket) => upload(socket, term, bytes)),
      timeout({ each, scheduler, with: stalled }),
      takeWhile((done) => !done),
      catchError((error: unknown) => {
        report({ type: 'transferFailed', to, cause: causeOf(error) });
        return timer(pauseMs(Infinity, settings), scheduler);
      }),
      ignoreElements(),
    );
  });
}

/** Chunk by chunk, each when the one before has left this process. Emits progress: done or not. */
function upload(socket: WebSocket, term: Term, bytes: Uint8Array): Observable<boolean> {
  return new Observable((subscriber) => {
    let offset = 0;
    const proceed = (error?: Error | null): void => {
      if (error) return;
      subscriber.next(false);
      if (offset === bytes.length) return;
      const chunk = bytes.subarray(offset, offset + chunkBytes);
      offset += chunk.length;
      socket.send(chunk, proceed);
    };
    socket.on('message', (data, isBinary) => {
      const words = wordsOf(data as Buffer, isBinary);
      if (v.is(receivedWords, words)) subscriber.next(true);
    });
    const digest = createHash('sha256').update(bytes).digest('hex');
    socket.send(JSON.stringify(['snapshot', term, bytes.length, digest]), proceed);
  });
}

/** A snapshot that has arrived whole, still in bytes. */
export interface Arrival {
  readonly term: Term;
  readonly bytes: Uint8Array;
}

/**
 * Puts the frames of one transfer together: null until the last one. Throws a DecodeError on a
 * frame that does not belong, on more bytes than were announced or allowed, and on a wrong digest.
 */
export function snapshotAssembler(
  maxBytes: number,
): (frame: Uint8Array, isBinary: boolean) => Arrival | null {
  const hash = createHash('sha256');
  let begun: { readonly term: Term; readonly digest: string } | null = null;
  let bytes = new Uint8Array(0);
  let filled = 0;
  return (frame, isBinary) => {
    if (begun === null) {
      const header = v.safeParse(headerWords, wordsOf(frame, isBinary));
      if (!header.success) throw new DecodeError('a snapshot without its header');
      const [, term, length, digest] = header.output;
      if (length > maxBytes) throw new DecodeError(`a snapshot of ${length} bytes`);
      begun = { term, digest };
      bytes = new Uint8Array(length);
      return null;
    }
    if (!isBinary) throw new DecodeError('words within a snapshot');
    if (filled + frame.length > bytes.length) throw new DecodeError('more bytes than announced');
    bytes.set(frame, filled);
    filled += frame.length;
    hash.update(frame);
    if (filled < bytes.length) return null;
    if (hash.digest('hex') !== begun.digest) throw new DecodeError('another digest');
    return { term: begun.term, bytes };
  };
}
