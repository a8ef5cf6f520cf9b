/**
 * Who brought a certificate: the enrolment of one link. The certificate that a manager was started with came over no link.
 */
type Bringer = object | undefined;

/**
 * Which certificate a new session is shown, when several links may each bring one. `Shown` is whatever stands for a
 * certificate: here it is the stack of a session. The rule:
 *
 * - A certificate belongs to the link that brought it. The sessions of that link are shown the one that it brought last.
 * - Sessions of a link that brought none are shown the *serving* certificate. The first one that any link brings serves.
 * - While the link that brought the serving certificate is open, no other link replaces it. The link itself may.
 * - When that link has closed, its certificate goes on to serve until another link brings one, which then serves.
 *
 * So a Server that comes back over a new link brings a certificate for its own sessions at once, also while its old link
 * is not known to be dead; and nobody who reaches the manager can change what the sessions of other links are shown.
 * Only certificates whose chain the policy trusts come here.
 */
export class Presented<Shown> {
  readonly #own = new Map<object, Shown>();
  #serving: Shown;
  #servingFrom: Bringer;
  /** The link that brought the serving certificate has closed. */
  #orphaned = false;

  constructor(first: Shown, from: Bringer) {
    this.#serving = first;
    this.#servingFrom = from;
    if (from !== undefined) this.#own.set(from, first);
  }

  /** A link has brought a certificate. */
  bring(shown: Shown, from: object): void {
    this.#own.set(from, shown);
    if (!this.#orphaned && from !== this.#servingFrom) return;
    this.#serving = shown;
    this.#servingFrom = from;
    this.#orphaned = false;
  }

  /** What a new session of a link is shown. `link` is undefined where links bring nothing. */
  to(link: Bringer): Shown {
    return (link && this.#own.get(link)) ?? this.#serving;
  }

  /** The link has closed. */
  left(link: object): void {
    this.#own.delete(link);
    if (link === this.#servingFrom) this.#orphaned = true;
  }
}
