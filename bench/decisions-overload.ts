// Three times more than can be decided: what is accepted stays fast, the rest is refused at once.
import { significant } from './features-measure.ts'
import type { DecisionsBank } from './decisions-bank.ts'
import { startBank } from './decisions-server.ts'
import type { Figures } from './run.ts'

const OVER = 3
/** So many that requests wait for the server, and not for a connection. */
const CONNECTIONS = 1000

/**
 * The server has one core and the load the other. The rate is that of a closed loop of 32; unloaded is
 * an open loop at half of it; then the load is three times the rate, and after it half again.
 */
export async function measureOverload(
  bank: DecisionsBank,
  seconds: number,
  say: (line: string) => void,
): Promise<Figures> {
  const server = await startBank(bank, { server: 0, load: 1 })
  try {
    const { rps: rate } = await server.drive({ rate: 0, seconds, connections: 32 })
    const paced = { seconds, connections: CONNECTIONS }
    const half = await server.drive({ ...paced, rate: rate / 2 })
    say(
      `Overload: ${Math.round(rate)}/s on one core, p99 at half of it ${half.p99Ms.toFixed(1)} ms`,
    )
    const before = server.memoryMb()
    const over = await server.drive({ ...paced, rate: OVER * rate })
    const after = server.memoryMb()
    const recovered = await server.drive({ ...paced, rate: rate / 2, seconds: 2 })
    const { answered, refused } = over
    return {
      overload_rate_per_s: significant(rate),
      overload_unloaded_p99_ms: significant(half.p99Ms, 3),
      overload_asked_per_s: significant(over.asked / seconds),
      overload_accepted_per_s: significant(answered / seconds),
      overload_accepted_p99_ms: significant(over.p99Ms, 3),
      overload_ratio_p99: significant(over.p99Ms / half.p99Ms, 3),
      overload_refused_share: significant(refused / (answered + refused), 3),
      overload_refused_p99_ms: significant(over.refusedP99Ms, 3),
      overload_lost: over.asked - answered - refused,
      overload_memory_mb_before: before,
      overload_memory_mb_after: after,
      overload_recovered_p99_ms: significant(recovered.p99Ms, 3),
      overload_recovered_refused: recovered.refused,
    }
  } finally {
    await server.stop()
  }
}
