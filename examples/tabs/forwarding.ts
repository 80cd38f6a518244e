/**
 * A tab that does not lead hands its request to the one that does, on a BroadcastChannel. It is
 * asked once: when no answer comes, nobody knows whether it was done.
 */

interface Request {
  readonly request: string;
  readonly to: string;
  readonly add: number;
}

/** The sum, or why there is none. */
type Answer =
  | { readonly answer: string; readonly sum: number }
  | { readonly answer: string; readonly refused: string };

const patienceMs = 10_000;

/** Adds where the leader is, and resolves with the sum when that is committed. */
export function forwarding(
  node: string,
  dispatch: (add: number) => Promise<number>,
): (leader: string | null, add: number) => Promise<number> {
  const channel = new BroadcastChannel('tabs: requests');
  const waiting = new Map<string, (answer: Answer) => void>();
  const serve = async ({ request, add }: Request): Promise<Answer> =>
    dispatch(add).then(
      (sum) => ({ answer: request, sum }),
      (error: unknown) => ({ answer: request, refused: String(error) }),
    );
  channel.onmessage = ({ data }: MessageEvent<Request | Answer>) => {
    if ('answer' in data) waiting.get(data.answer)?.(data);
    else if (data.to === node) void serve(data).then((answer) => channel.postMessage(answer));
  };
  return (leader, add) => {
    if (leader === node) return dispatch(add);
    if (leader === null) return Promise.reject(new Error('there is no leader at the moment'));
    const request = crypto.randomUUID();
    return new Promise<number>((resolve, reject) => {
      const unknown = () => reject(new Error('no answer: it may be done, or not'));
      const timer = setTimeout(unknown, patienceMs);
      waiting.set(request, (answer) => {
        clearTimeout(timer);
        if ('sum' in answer) resolve(answer.sum);
        else reject(new Error(answer.refused));
      });
      channel.postMessage({ request, to: leader, add } satisfies Request);
    }).finally(() => waiting.delete(request));
  };
}
