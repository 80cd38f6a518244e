/** Many commands that do nothing but be remembered, one behind the other. */
import { lastValueFrom, mergeMap, range } from 'rxjs';

/** So many are under way. */
const atOnce = 500;

/**
 * `count` of them, with results of `size` bytes, until one is not acknowledged. Gives every one in
 * `every` that was, with what came of it.
 */
export async function fill(keys, { name, count, size, every }) {
  const samples = [];
  const dispatched$ = range(0, count).pipe(
    mergeMap(async (at) => {
      const command = { id: `${name}-${at}`, type: 'fill', size };
      const { version, digest, bytes } = await keys.dispatch(command, { requestId: command.id });
      if (at % every === 0) samples.push({ command, version, digest, bytes });
    }, atOnce),
  );
  await lastValueFrom(dispatched$).catch(() => undefined);
  return samples;
}
