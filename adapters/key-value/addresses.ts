/** Where nodes listen: `host:port`, with the host in brackets when it is an IPv6 address. */
import { isIP } from 'node:net';
import { partsOfAddress } from './address-form.js';

export interface Address {
  /** As a server listens on it: without brackets. */
  readonly host: string;
  readonly port: number;
}

/** What is wrong with an address, in words, or null. */
export function faultOfAddress(text: string): string | null {
  return parsed(text) === null
    ? `${JSON.stringify(text)} is no address: HOST:PORT, as in 127.0.0.1:7101 or [::1]:7101`
    : null;
}

/** Throws a RangeError. */
export function parseAddress(text: string): Address {
  const address = parsed(text);
  if (address === null) throw new RangeError(faultOfAddress(text) ?? text);
  return address;
}

/** Can only this machine reach it? */
export function isLoopback({ host }: Address): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function parsed(text: string): Address | null {
  const parts = partsOfAddress(text);
  if (parts === null || (parts.inBrackets && isIP(parts.host) !== 6)) return null;
  return { host: parts.host, port: parts.port };
}
