/** What somebody who watched a store was told, in its order, as text. */

/** One key, or all that begin so. */
export interface Scope {
  readonly key: string;
  readonly isPrefix: boolean;
}

/** A put, or with null a delete. */
export type Pair = readonly [key: string, value: string | null];

export type Told =
  /** Everything up to this index has been told. */
  | { readonly type: 'watching'; readonly index: number }
  /** All that the entry of this index has changed, of what is watched. */
  | { readonly type: 'changes'; readonly index: number; readonly pairs: readonly Pair[] }
  /** The history is gone: the content at this index, whole with its last piece. */
  | {
      readonly type: 'current';
      readonly index: number;
      readonly isLast: boolean;
      readonly pairs: readonly Pair[];
    }
  /** The node was left, or lost: the next one goes on where this one ended. */
  | { readonly type: 'lost' };

export interface Recording extends Scope {
  readonly name: string;
  /** The index that it began with. Null: whatever was next. */
  readonly from: number | null;
  /** Before the end: what is there then it need not know. */
  readonly hasLeft: boolean;
  readonly told: readonly Told[];
}

export const everything: Scope = { key: '', isPrefix: true };

export function isWithin({ key: meant, isPrefix }: Scope, key: string): boolean {
  return isPrefix ? key.startsWith(meant) : key === meant;
}

/** Does who watches the one hear of everything in the other? */
export function contains(scope: Scope, other: Scope): boolean {
  return isWithin(scope, other.key) && (scope.isPrefix || !other.isPrefix);
}
