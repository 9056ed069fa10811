// Answers that go on: an operation is asked again whenever there is more, and each answer leaves as a
// server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html). Its id is the
// place from which the next one goes on, so who comes back with it misses nothing.
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Arrivals } from '../../decisions/index.ts'
import { isAssayError } from '../../lib/errors.ts'
import { serverErrors } from './errors.ts'

export interface FollowOptions {
  readonly arrivals: Pick<Arrivals, 'moves' | 'wait'>
  /** Fires when the server stops. */
  readonly stopping: AbortSignal
  /** Told of failures that no answer tells of, because one has begun. */
  readonly onDefect: (error: unknown, request: FastifyRequest) => void
  /** How many may be open at once. Default 200. */
  readonly most?: number
  /** Between two answers, ms. Default 250. */
  readonly pauseMs?: number
  /** The longest without an answer, ms, so that a dead line is noticed. Default 5,000. */
  readonly stillMs?: number
}

/** What is followed says from where it goes on. */
interface Following {
  readonly place: string
}

export interface Follower {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly ask: (after: string | undefined) => Promise<Following>
  /** Rejects once who asked may not any more. */
  readonly stillMay: () => Promise<unknown>
}

const MOST = 200

/** Opens streams; refuses with `streams_full` where too many are open. */
export function createFollowing(options: FollowOptions) {
  let open = 0
  return async ({ request, reply, ask, stillMay }: Follower): Promise<FastifyReply> => {
    if (open >= (options.most ?? MOST)) {
      throw serverErrors.streams_full(`${open} pages and programs watch.`, {
        extra: { retryAfter: 5 },
      })
    }
    const seen = options.arrivals.moves
    const last = request.headers['last-event-id']
    const { after } = request.query as { after?: string }
    // What the operation refuses is refused with a problem document.
    const first = await ask(typeof last === 'string' && last !== '' ? last : after)
    open += 1
    const gone = new AbortController()
    const signal = AbortSignal.any([gone.signal, options.stopping])
    const going = events(options, { first, seen, ask, stillMay }, signal)
    const stream = Readable.from(
      ending(going, (error) => options.onDefect(error, request)),
      {
        objectMode: false,
      },
    )
    stream.on('close', () => (open -= 1))
    reply.raw.on('close', () => gone.abort())
    return reply
      .type('text/event-stream; charset=utf-8')
      .headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
      .send(stream)
  }
}

async function* events(
  { arrivals, pauseMs = 250, stillMs = 5000 }: FollowOptions,
  {
    first,
    seen,
    ask,
    stillMay,
  }: Pick<Follower, 'ask' | 'stillMay'> & {
    readonly first: Following
    readonly seen: number
  },
  signal: AbortSignal,
): AsyncGenerator<string> {
  let answer = first
  let moves = seen
  for (;;) {
    // How soon a page that was cut off asks again by itself, and the answer.
    yield `retry: 1000\nid: ${answer.place}\ndata: ${JSON.stringify(answer)}\n\n`
    await arrivals.wait(Number.MAX_SAFE_INTEGER, pauseMs, signal)
    await arrivals.wait(moves, stillMs, signal)
    if (signal.aborted) return
    moves = arrivals.moves
    await stillMay()
    answer = await ask(answer.place)
  }
}

/** Ends where it fails; who watches comes back and is told why, if it lasts. */
async function* ending(
  events: AsyncGenerator<string>,
  onDefect: (error: unknown) => void,
): AsyncGenerator<string> {
  try {
    yield* events
  } catch (error) {
    if (!isAssayError(error)) onDefect(error)
  }
}
