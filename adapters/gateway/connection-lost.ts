/** There is no connection any more. What was sent on it may have been done. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';

  /** `wasSent`: the request may have left. If not, it is certainly not done. */
  constructor(
    readonly address: string,
    cause: string,
    readonly wasSent = true,
  ) {
    super(`${address}: ${cause}`);
  }
}
