/** How a WebSocket is closed, and why. */

/** The codes of RFC 6455 §7.4.1 that are used here. */
export const closeCode = {
  goingAway: 1001,
  unreadable: 1007,
  /** "A policy": to read what one has asked for. */
  tooSlow: 1008,
  tryAgainLater: 1013,
} as const;

/** A close frame has room for so many bytes of a reason (RFC 6455 §5.5). */
const reasonBytes = 123;

/** As much of a text as a close frame has room for: of more the socket makes an exception. */
export function closeReason(text: string): string {
  const { read } = new TextEncoder().encodeInto(text, new Uint8Array(reasonBytes));
  return text.slice(0, read);
}
