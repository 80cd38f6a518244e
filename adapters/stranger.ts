/** What is heard of a connection that has not said who it is. */
import type { Socket } from 'node:net';
import { maxWordBytes } from './ws-handshake.js';

/** Of the frame around the words. */
const headBytes = 14;

/**
 * Calls `onMore` once when more has come than a greeting has: frames as long as those of nodes are
 * not to be gathered for a stranger. What it returns is called when it is none any more.
 */
export function hearWordsOnly(wire: Socket, onMore: () => void): () => void {
  let heard = 0;
  const isOver = (): boolean => heard > maxWordBytes + headBytes;
  const onData = (bytes: Uint8Array): void => {
    if (isOver()) return;
    heard += bytes.length;
    if (isOver()) onMore();
  };
  wire.on('data', onData);
  return () => {
    heard = -Infinity;
    wire.off('data', onData);
  };
}
