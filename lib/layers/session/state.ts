/** The state that both directions of a session layer share on one connection. */
export interface SessionState {
  /** The id that bodies carry from now on. It is 0 while the session has none: a client's request with 0 opens a session. */
  id: number;
}
