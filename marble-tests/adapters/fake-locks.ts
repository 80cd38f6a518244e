/** Web Locks for Node before 24: exclusive ones, with waiting and stealing, and no more. */

interface Holder {
  readonly end: (error?: Error) => void;
  readonly next: (() => void)[];
}

interface Options {
  readonly ifAvailable?: boolean;
  readonly signal?: AbortSignal;
  readonly steal?: boolean;
}

export function fakeLocks(): Pick<LockManager, 'request'> {
  const held = new Map<string, Holder>();
  const run = async (name: string, hold: (lock: object) => unknown): Promise<unknown> => {
    const next = held.get(name)?.next ?? [];
    return new Promise((resolve, reject) => {
      const holder: Holder = {
        next,
        end: (error) => {
          if (held.get(name) === holder) held.delete(name);
          if (error) reject(error);
          next.shift()?.();
        },
      };
      held.set(name, holder);
      Promise.resolve(hold({ name })).then((value) => {
        resolve(value);
        if (held.get(name) === holder) holder.end();
      }, reject);
    });
  };
  const request = async (
    name: string,
    options: Options,
    hold: (lock: object | null) => unknown,
  ) => {
    const holder = held.get(name);
    if (holder !== undefined && options.ifAvailable) return hold(null);
    if (holder !== undefined && options.steal) {
      held.delete(name);
      holder.end(new DOMException('stolen', 'AbortError'));
    } else if (holder !== undefined) {
      await new Promise<void>((resolve, reject) => {
        holder.next.push(resolve);
        options.signal?.addEventListener('abort', () => {
          const at = holder.next.indexOf(resolve);
          if (at >= 0) holder.next.splice(at, 1);
          reject(options.signal?.reason as Error);
        });
      });
    }
    return run(name, hold);
  };
  return { request } as unknown as Pick<LockManager, 'request'>;
}
