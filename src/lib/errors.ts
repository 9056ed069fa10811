/**
 * The one kind of failure that Assay expects and explains.
 *
 * Each room lists its failures in its own `errors.ts` with `defineErrors`; together the lists are
 * the table of errors. An expected failure is an `AssayError` whose code stands in that table, so
 * that every answer says what happened (`detail`) and what to do (`action`). Anything else that is
 * thrown is a defect: it answers as `internal_error` and tells the outside nothing.
 */

/** One row of the table of errors. */
export interface ErrorDefinition {
  /** The HTTP status with which the failure is answered. */
  readonly status: number
  /** What kind of failure this is, the same for every occurrence. */
  readonly title: string
  /** What the reader should do about it. */
  readonly action: string
}

/** Facts that travel with one occurrence; members become members of the problem document. */
export type ErrorExtra = Readonly<Record<string, unknown>>

export interface ErrorOptions {
  readonly extra?: ErrorExtra
  readonly cause?: unknown
}

/** Makes one occurrence of a failure: `detail` says what happened, with the values that matter. */
export type ErrorFactory = (detail: string, options?: ErrorOptions) => AssayError

export type ErrorFactories<Table> = { readonly [Code in keyof Table]: ErrorFactory }

/** A problem document as RFC 9457 describes it, with Assay's `code` and `action` as extensions. */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly action: string
  readonly [extension: string]: unknown
}

export class AssayError extends Error {
  readonly code: string
  readonly status: number
  readonly detail: string
  readonly title: string
  readonly action: string
  /** Members of the problem document; `retryAfter` (seconds) also becomes the header. */
  readonly extra: ErrorExtra | undefined

  constructor(code: string, definition: ErrorDefinition, detail: string, options?: ErrorOptions) {
    super(detail, options?.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AssayError'
    this.code = code
    this.status = definition.status
    this.title = definition.title
    this.action = definition.action
    this.detail = detail
    this.extra = options?.extra
  }
}

const table = new Map<string, ErrorDefinition>()

/**
 * Adds failures to the table and returns a factory for each code:
 * `const fail = defineErrors({ too_late: { status: 409, … } })`, then `throw fail.too_late('…')`.
 * Throws when a code is malformed, or already stands in the table with another meaning.
 */
export function defineErrors<const Table extends Readonly<Record<string, ErrorDefinition>>>(
  definitions: Table,
): ErrorFactories<Table> {
  const factories: Record<string, ErrorFactory> = {}
  for (const [code, definition] of Object.entries(definitions)) {
    register(code, definition)
    factories[code] = (detail, options) => new AssayError(code, definition, detail, options)
  }
  return factories as ErrorFactories<Table>
}

/** Whether an error is an expected one, of any code or of one of the given codes. */
export function isAssayError(error: unknown, ...codes: string[]): error is AssayError {
  return error instanceof AssayError && (codes.length === 0 || codes.includes(error.code))
}

/** The whole table, sorted by code: what the reference page of errors is checked against. */
export function allErrors(): ReadonlyArray<ErrorDefinition & { readonly code: string }> {
  return [...table]
    .map(([code, definition]) => ({ code, ...definition }))
    .sort((a, b) => (a.code < b.code ? -1 : 1))
}

/** The problem document for anything thrown. Defects give away nothing but that they happened. */
export function toProblem(error: unknown): Problem {
  const known = error instanceof AssayError ? error : unexpected(error)
  return {
    ...known.extra,
    type: `urn:assay:error:${known.code}`,
    title: known.title,
    status: known.status,
    detail: known.detail,
    code: known.code,
    action: known.action,
  }
}

/** A failure that no code foresaw, as an `AssayError` that keeps the cause for the log only. */
export function unexpected(cause: unknown): AssayError {
  return generalErrors.internal_error('Something failed inside Assay that it did not expect.', {
    cause,
  })
}

/** Failures that any room may meet. */
export const generalErrors = defineErrors({
  internal_error: {
    status: 500,
    title: 'Assay failed unexpectedly',
    action: 'Look for this request in the log, and report the defect with what you find there.',
  },
  overloaded: {
    status: 503,
    title: 'More work is waiting than is accepted',
    action: 'Wait as long as Retry-After says, then try again, more slowly.',
  },
})

function register(code: string, definition: ErrorDefinition): void {
  if (!/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(code)) {
    throw new Error(`The error code "${code}" must be lower case words joined by underscores.`)
  }
  const known = table.get(code)
  if (known !== undefined && !sameDefinition(known, definition)) {
    throw new Error(`The error code "${code}" is already in the table with another meaning.`)
  }
  table.set(code, definition)
}

function sameDefinition(a: ErrorDefinition, b: ErrorDefinition): boolean {
  return a.status === b.status && a.title === b.title && a.action === b.action
}
