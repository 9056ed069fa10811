import {
  keepPreviousData,
  QueryClient,
  useMutation,
  useQuery,
  useQueryClient,
  type UseQueryResult,
} from '@tanstack/react-query'
import type { OperationName } from '../../src/server/contract/addresses.ts'
import type { ResponseOf } from '../../src/server/contract/routes.ts'
import { call, ProblemError, type Input } from './api.ts'

export function createQueries(onSignedOut: () => void): QueryClient {
  const client = new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2_000,
        gcTime: 10 * 60_000,
        retry: (failures, error) => isPassing(error) && failures < 2,
        refetchOnWindowFocus: true,
      },
    },
  })
  const watch = (error: unknown) => {
    if (error instanceof ProblemError && error.problem.status === 401) onSignedOut()
  }
  client.getQueryCache().subscribe((event) => {
    if (event.type === 'updated' && event.action.type === 'error') watch(event.action.error)
  })
  client.getMutationCache().subscribe((event) => {
    if (event.type === 'updated' && event.action.type === 'error') watch(event.action.error)
  })
  return client
}

/** A 4xx says the same when asked again; everything else may pass. */
function isPassing(error: unknown): boolean {
  return (
    !(error instanceof ProblemError) || error.problem.status >= 500 || error.problem.status === 0
  )
}

export interface AskOptions {
  /** Ask again every so many milliseconds, while the tab is seen. */
  readonly every?: number | false
  readonly enabled?: boolean
  readonly keepPrevious?: boolean
  readonly staleTime?: number
}

/** Asks one operation; the cache's key is the operation and what it was asked with. */
export function useAsk<Name extends OperationName>(
  name: Name,
  input: Omit<Input<Name>, 'body' | 'signal'> = {},
  options: AskOptions = {},
): UseQueryResult<ResponseOf<Name>, ProblemError> {
  return useQuery<ResponseOf<Name>, ProblemError>({
    queryKey: [name, input.params ?? null, clean(input.query)],
    queryFn: ({ signal }) => call(name, { ...input, signal }),
    ...(options.every === undefined ? {} : { refetchInterval: options.every }),
    ...(options.enabled === undefined ? {} : { enabled: options.enabled }),
    ...(options.staleTime === undefined ? {} : { staleTime: options.staleTime }),
    ...(options.keepPrevious === true ? { placeholderData: keepPreviousData } : {}),
  } as Parameters<typeof useQuery<ResponseOf<Name>, ProblemError>>[0])
}

/** An absent value and an empty one ask the same. */
function clean(query: unknown): unknown {
  if (typeof query !== 'object' || query === null) return null
  return Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined))
}

/** Acts, then marks the answers of the named operations as old. */
export function useAct<Name extends OperationName>(name: Name, thenOld: readonly OperationName[]) {
  const client = useQueryClient()
  return useMutation<ResponseOf<Name>, ProblemError, Omit<Input<Name>, 'signal' | 'query'>>({
    mutationFn: (input) => call(name, input),
    onSuccess: () =>
      Promise.all(thenOld.map((old) => client.invalidateQueries({ queryKey: [old] }))).then(
        () => undefined,
      ),
  })
}
