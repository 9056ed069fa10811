/** The typed client: one function over the contract's table. It sends the session's cookie only. */
import { addresses, type OperationName } from '../../src/server/contract/addresses.ts'
import type { Problem } from '../../src/server/contract/shapes.ts'
import type { BodyOf, ParamsOf, QueryOf, ResponseOf } from '../../src/server/contract/routes.ts'

type Value = string | number | boolean | undefined

export interface Input<Name extends OperationName> {
  readonly params?: ParamsOf<Name>
  readonly query?: QueryOf<Name>
  readonly body?: BodyOf<Name>
  readonly signal?: AbortSignal
}

/** Any answer but 2xx, and no answer at all. `problem` is shown to the person as it is. */
export class ProblemError extends Error {
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.detail ?? problem.title)
    this.name = 'ProblemError'
    this.problem = problem
  }
}

/** The address of an operation: fills `:params`, leaves out empty query values. */
export function addressOf<Name extends OperationName>(
  name: Name,
  params: ParamsOf<Name> | undefined,
  query: Record<string, Value> | undefined,
): string {
  const values = (params ?? {}) as Record<string, string | number>
  const path = addresses[name].path.replace(/:(\w+)/g, (_, key: string) =>
    encodeURIComponent(String(values[key] ?? '')),
  )
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query ?? {})) {
    if (value !== undefined && value !== '') search.set(key, String(value))
  }
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}

export async function call<Name extends OperationName>(
  name: Name,
  input: Input<Name> = {},
): Promise<ResponseOf<Name>> {
  const url = addressOf(name, input.params, input.query as Record<string, Value> | undefined)
  const init: RequestInit = {
    method: addresses[name].method,
    credentials: 'same-origin',
    headers: { accept: 'application/json' },
    ...(input.signal === undefined ? {} : { signal: input.signal }),
  }
  if (input.body !== undefined) {
    init.body = JSON.stringify(input.body)
    init.headers = { ...init.headers, 'content-type': 'application/json' }
  }
  let response: Response
  try {
    response = await fetch(url, init)
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    throw new ProblemError(unreachable)
  }
  if (response.ok) return (await response.json()) as ResponseOf<Name>
  throw new ProblemError(await problemFrom(response))
}

export const unreachable: Problem = {
  type: 'urn:assay:error:unreachable',
  title: 'Assay does not answer',
  status: 0,
  code: 'unreachable',
  detail: 'The page could not reach Assay. What was acknowledged is on disk and safe.',
  action: 'See whether Assay still runs on its machine; the page goes on by itself.',
}

export async function problemFrom(response: Response): Promise<Problem> {
  try {
    const body = (await response.json()) as Partial<Problem>
    if (typeof body.title === 'string') {
      return { type: 'about:blank', status: response.status, ...body, title: body.title }
    }
  } catch {
    // Not JSON: a proxy in between answered; its status is all there is to say.
  }
  return {
    type: 'about:blank',
    status: response.status,
    title: `Assay answered ${response.status}`,
    detail: response.statusText,
  }
}
