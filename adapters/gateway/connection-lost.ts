/** There is no connection any more. What was sent on it may have been done. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';

  constructor(
    readonly address: string,
    cause: string,
  ) {
    super(`${address}: ${cause}`);
  }
}
