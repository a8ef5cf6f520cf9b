/** What an error says: its message or, where there is none (Node's, of all addresses of a host that it tried), its code. */
export function messageOf(error: Error): string {
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
