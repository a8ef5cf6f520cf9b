/** The text of an error: its message, else its code. Node's error for a host whose addresses all failed has only a code. */
export function messageOf(error: Error): string {
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
