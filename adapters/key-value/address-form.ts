/** The form of an address, `host:port`: all that can be said of it where there is no network. */

/** Host and port, the host in brackets where it has them; or null. */
export function partsOfAddress(
  text: string,
): { readonly host: string; readonly inBrackets: boolean; readonly port: number } | null {
  const match = /^(?:\[([^\]]+)\]|([^\s:/@?#[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return null;
  const [, bracketed, plain, digits] = match;
  const port = Number(digits);
  if (port < 1 || port > 65_535) return null;
  return { host: bracketed ?? plain ?? '', inBrackets: bracketed !== undefined, port };
}
