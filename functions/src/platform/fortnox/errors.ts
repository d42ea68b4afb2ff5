/**
 * What a Fortnox call can end in besides its answer.
 *
 * - `rejected`: Fortnox (or our own check before it) said no; nothing was done, and asking again changes nothing.
 * - `not_found`: Fortnox said that what was asked for does not exist.
 * - `unauthorized`: no token, or a fresh one was refused too: the consent, the licence or the secrets need a person.
 * - `rate_limited`: too many requests, our own retries included; nothing was done. Later is fine.
 * - `unknown`: no answer, or none that can be understood. What was asked for **may have happened**: look before asking again.
 */
export type FortnoxErrorKind = 'rejected' | 'not_found' | 'unauthorized' | 'rate_limited' | 'unknown';

export type FortnoxErrorDetails = {
  readonly kind: FortnoxErrorKind;
  /** Fortnox's own error code, e.g. 2000401 for a locked period. */
  readonly code?: number;
  /** Fortnox's own text, in Swedish, as it came. */
  readonly fortnoxMessage?: string;
  readonly status?: number;
  /** How long Fortnox asked us to wait, when it said so. */
  readonly retryAfterMs?: number;
  /** No answer came in all the time it was given. */
  readonly timedOut?: boolean;
};

export class FortnoxError extends Error implements FortnoxErrorDetails {
  override name = 'FortnoxError';
  readonly kind: FortnoxErrorKind;
  readonly code?: number;
  readonly fortnoxMessage?: string;
  readonly status?: number;
  readonly retryAfterMs?: number;
  readonly timedOut?: boolean;

  constructor(message: string, details: FortnoxErrorDetails) {
    super(message);
    this.kind = details.kind;
    if (details.code !== undefined) this.code = details.code;
    if (details.fortnoxMessage !== undefined) this.fortnoxMessage = details.fortnoxMessage;
    if (details.status !== undefined) this.status = details.status;
    if (details.retryAfterMs !== undefined) this.retryAfterMs = details.retryAfterMs;
    if (details.timedOut !== undefined) this.timedOut = details.timedOut;
  }
}
