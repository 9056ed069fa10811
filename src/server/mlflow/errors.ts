// How failures are told behind MLflow's door: {"error_code", "message"} and one of the statuses that
// its client knows. The client repeats 408, 429 and every 5xx, so what a client did wrong is never one.
import { AssayError, defineErrors, unexpected } from '../../lib/errors.ts'
import { isSentNumber } from './sent-number.ts'

export const mlflowErrors = defineErrors({
  mlflow_request_invalid: {
    status: 400,
    title: 'A parameter of the MLflow request is missing or wrong',
    action: 'Correct the parameter that the message names.',
  },
  mlflow_body_invalid: {
    status: 400,
    title: 'The body of the MLflow request cannot be read',
    action: 'Send one JSON object as application/json.',
  },
  mlflow_uploads_full: {
    status: 429,
    title: "Too many files are arriving behind MLflow's door",
    action: 'Wait until others have arrived, and send the file again.',
  },
  mlflow_endpoint_unknown: {
    status: 404,
    title: "There is no such endpoint behind MLflow's door",
    action: 'Look the endpoint up in docs/reference/mlflow.md.',
  },
})

/** The body of a refusal. */
export interface MlflowRefusal {
  readonly status: number
  readonly body: { readonly error_code: string; readonly message: string }
  readonly retryAfterS?: number | undefined
}

/** The error codes of MLflow by status (mlflow/exceptions.py), where no code of ours says better. */
const byStatus: Readonly<Record<number, readonly [status: number, errorCode: string]>> = {
  400: [400, 'INVALID_PARAMETER_VALUE'],
  401: [401, 'UNAUTHENTICATED'],
  403: [403, 'PERMISSION_DENIED'],
  404: [404, 'RESOURCE_DOES_NOT_EXIST'],
  408: [400, 'BAD_REQUEST'],
  409: [409, 'RESOURCE_CONFLICT'],
  413: [413, 'BAD_REQUEST'],
  415: [400, 'INVALID_PARAMETER_VALUE'],
  422: [400, 'INVALID_PARAMETER_VALUE'],
  429: [429, 'REQUEST_LIMIT_EXCEEDED'],
  431: [400, 'BAD_REQUEST'],
  500: [500, 'INTERNAL_ERROR'],
  501: [501, 'NOT_IMPLEMENTED'],
  503: [503, 'TEMPORARILY_UNAVAILABLE'],
}

/** Our codes that MLflow's server answers otherwise than their status says. */
const byCode: Readonly<Record<string, readonly [status: number, errorCode: string]>> = {
  mlflow_endpoint_unknown: [404, 'ENDPOINT_NOT_FOUND'],
  mlflow_body_invalid: [400, 'BAD_REQUEST'],
  experiment_exists: [400, 'RESOURCE_ALREADY_EXISTS'],
  experiment_deleted: [400, 'INVALID_PARAMETER_VALUE'],
  run_deleted: [400, 'INVALID_PARAMETER_VALUE'],
  run_ended: [400, 'INVALID_PARAMETER_VALUE'],
  param_changed: [400, 'INVALID_PARAMETER_VALUE'],
  // A full disk is not repaired by asking again, which clients do after a 500.
  artifact_store_full: [507, 'RESOURCE_EXHAUSTED'],
  model_exists: [400, 'RESOURCE_ALREADY_EXISTS'],
  model_name_taken: [400, 'RESOURCE_ALREADY_EXISTS'],
  alias_not_found: [400, 'INVALID_PARAMETER_VALUE'],
}

/** The refusal for anything thrown; defects give away nothing but that they happened. */
export function refusalOf(error: unknown): MlflowRefusal {
  const known = error instanceof AssayError ? error : unexpected(error)
  const [status, errorCode] = byCode[known.code] ?? byStatus[known.status] ?? otherwise(known)
  const { retryAfter } = known.extra ?? {}
  return {
    status,
    body: { error_code: errorCode, message: inTheirWords(known) },
    ...(typeof retryAfter === 'number' && { retryAfterS: retryAfter }),
  }
}

/**
 * What scripts look for in messages, by our code: what ours says, and how MLflow says it. Where ours
 * reads otherwise one day, it is told as it is.
 */
const theirWords: Readonly<Record<string, readonly (readonly [ours: RegExp, theirs: string])[]>> = {
  run_not_found: [[/^No run has id (.*)\.$/s, 'Run with id=$1 not found']],
  run_deleted: [
    [
      /^Run .* \(([^()]*)\) is deleted\.$/s,
      "The run $1 must be in the 'active' state. Current state is deleted.",
    ],
  ],
  experiment_not_found: [
    [/^No experiment has id (.*)\.$/s, 'No Experiment with id=$1 exists'],
    [/^No experiment is named (.*)\.$/s, "Could not find experiment with name '$1'"],
  ],
  experiment_deleted: [
    [
      /^Experiment .* \(([^()]*)\) is deleted\.$/s,
      "The experiment $1 must be in the 'active' state. Current state is deleted.",
    ],
  ],
  experiment_exists: [
    [
      /^Experiment \S+ is named (.*?)(, which is deleted)?\.$/s,
      'Experiment(name=$1) already exists$2.',
    ],
  ],
  tag_not_found: [
    [/^Run (\S+) has no tag (.*)\.$/s, 'No tag with name: $2 in run with id $1'],
    [/^Experiment (\S+) has no tag (.*)\.$/s, 'No tag with name: $2 in experiment with id $1'],
    [
      /^Logged model (\S+) has no tag (.*)\.$/s,
      "No tag with key '$2' found for model with ID '$1'.",
    ],
  ],
  param_changed: [[/^Parameter/, 'Changing param values is not allowed. Parameter']],
  artifact_path_invalid: [[/^/, 'Invalid path: ']],
  logged_model_not_found: [
    [/^No logged model has id (.*)\.$/s, "Logged model with ID '$1' not found."],
  ],
}

function inTheirWords({ code, detail }: AssayError): string {
  const said = (theirWords[code] ?? []).find(([ours]) => ours.test(detail))
  return said === undefined ? detail : detail.replace(said[0], said[1])
}

function otherwise({ status }: AssayError): readonly [number, string] {
  return status < 500 ? [status, 'BAD_REQUEST'] : [500, 'INTERNAL_ERROR']
}

/** The end of every message about a parameter; clients' tests look for the part before it. */
const seeDocs = ' See the API docs for more information about request parameters.'

/** `Missing value for required parameter 'name'.` */
export function missing(path: string): AssayError {
  return mlflowErrors.mlflow_request_invalid(
    `Missing value for required parameter '${path}'.${seeDocs}`,
  )
}

/** `Invalid value 12 for parameter 'name' supplied: why`; long values are cut. */
export function invalid(path: string, value: unknown, why?: string): AssayError {
  return mlflowErrors.mlflow_request_invalid(invalidSentence(path, value, why))
}

/** A value of the wrong type, with its type in the words of a Python server. */
export function wrongType(path: string, value: unknown): AssayError {
  const why = ` Hint: Value was of type '${pythonType(value)}'.`
  return mlflowErrors.mlflow_request_invalid(invalidSentence(path, value, why) + seeDocs)
}

export function invalidSentence(path: string, value: unknown, why?: string): string {
  const shown = shorten(asJson(value))
  const end = why === undefined ? '.' : `: ${why}`
  return `Invalid value ${shown} for parameter '${path}' supplied${end}`
}

const SHOWN_MAX = 500

/** What is nested deeper than the stack is long cannot be written, and need not be. */
function asJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null'
  } catch (error) {
    if (error instanceof RangeError) return '…'
    throw error
  }
}

function shorten(text: string): string {
  return text.length <= SHOWN_MAX ? text : `${text.slice(0, SHOWN_MAX)}…`
}

function pythonType(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  if (isSentNumber(value)) return /^-?\d+$/.test(value.rawJSON) ? 'int' : 'float'
  switch (typeof value) {
    case 'string':
      return 'str'
    case 'boolean':
      return 'bool'
    case 'number':
      return Number.isInteger(value) ? 'int' : 'float'
    default:
      return 'dict'
  }
}
