/** The codes with which commands end; docs/reference/cli.md lists them. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** The check that was asked for did not hold: a gate refused, a log does not verify. */
  notHeld: 3,
  /** Another process, a port or a lock is in the way. */
  busy: 4,
} as const
