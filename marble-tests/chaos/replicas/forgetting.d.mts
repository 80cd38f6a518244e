import type { Age } from './ask.js';

export const remembered: { readonly commands: number; readonly bytes: number };
export function mayBeForgotten(before: Age, now: Age): boolean;
export function isForgotten(before: Age, now: Age): boolean;
