/** A terminal device: a VirtIO console, a pty, a serial line. */
export interface SerialAddress {
  readonly kind: 'serial';
  readonly path: string;
}

/** Reads `serial:///dev/hvc0`. Undefined for any other form. */
export function parseSerial(text: string): SerialAddress | undefined {
  const path = /^serial:\/\/(\/[^\0\n]+)$/.exec(text)?.[1];
  return path === undefined ? undefined : { kind: 'serial', path };
}

export function formatSerial({ path }: SerialAddress): string {
  return `serial://${path}`;
}
