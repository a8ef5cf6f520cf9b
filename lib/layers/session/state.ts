/** What both directions of a session layer know on one connection. */
export interface SessionState {
  /** The id that bodies carry from now on; 0 while the session has none (a client's request with 0 opens one). */
  id: number;
}
