/** What was sent: the newest of it, so that a trace may be as long as it likes. */

/** A parcel that so many others were sent after is forgotten, at the latest after twice as many. */
const windowParcels = 1 << 19;

export class Parcels {
  private newer = new Set<number>();
  private older = new Set<number>();

  constructor(private readonly window = windowParcels) {}

  add(parcel: string): void {
    if (this.newer.size >= this.window) {
      this.older = this.newer;
      this.newer = new Set();
    }
    this.newer.add(hashOf(parcel));
  }

  has(parcel: string): boolean {
    const hash = hashOf(parcel);
    return this.newer.has(hash) || this.older.has(hash);
  }

  get size(): number {
    return this.newer.size + this.older.size;
  }
}

/** 53 bits, instead of a text of hundreds of bytes (cyrb53). */
function hashOf(text: string): number {
  let high = 0xdeadbeef;
  let low = 0x41c6ce57;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    high = Math.imul(high ^ code, 2654435761);
    low = Math.imul(low ^ code, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return 4294967296 * (2097151 & low) + (high >>> 0);
}
