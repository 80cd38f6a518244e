/** A fingerprint of all that happened: two runs with the same one were the same, step by step. */
export class Digest {
  private first = 0x811c9dc5;
  private second = 0x1b873593;

  /** The lower 32 bits of an integer. */
  add(value: number): void {
    this.first = Math.imul(this.first ^ value, 0x01000193);
    this.first ^= this.first >>> 13;
    this.second = Math.imul(this.second ^ value, 0x85ebca6b);
    this.second ^= this.second >>> 16;
  }

  addBytes(bytes: Uint8Array): void {
    let { first } = this;
    for (const byte of bytes) first = Math.imul(first ^ byte, 0x01000193);
    this.first = first;
    this.add(bytes.length);
  }

  addText(text: string): void {
    let { first } = this;
    for (let at = 0; at < text.length; at += 1) {
      first = Math.imul(first ^ text.charCodeAt(at), 0x01000193);
    }
    this.first = first;
    this.add(text.length);
  }

  /** 16 hexadecimal digits. */
  get text(): string {
    const hex = (part: number): string => (part >>> 0).toString(16).padStart(8, '0');
    return hex(this.first) + hex(this.second);
  }
}

/** A number of 32 bits for bytes. */
export function fingerprint(bytes: Uint8Array, seed = 0x811c9dc5): number {
  let hash = seed;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash ^ (hash >>> 15);
}
